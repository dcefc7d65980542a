//! What is replaced, and what is left alone.

use serde_json::json;

use super::*;

/// What becomes of a value when its own secrets are replaced.
fn redacted(value: &Value) -> Value {
    let mut secrets = Secrets::new(&["the-api-key".into()]);
    secrets.learn(value);
    let mut value = value.clone();
    secrets.redactor().unwrap().value(&mut value);
    value
}

#[test]
fn secrets_are_replaced_wherever_they_stand_and_stay_equal() {
    let page = "<p data-sid='s3ss10n'>token a%2Fb%2Bc%3D%3D and a/b+c==, key the-api-key, &quot;q&quot;</p>";
    let before = json!({
        "url": "https://bob:hunter22@shop.example/?page=2&access_token=t0ken99",
        "requestCookies": [{"name": "sid", "value": "s3ss10n"}, {"name": "n", "value": "7"}],
        "customHttpRequestHeaders": [
            {"name": "Cookie", "value": "sid=s3ss10n; n=7"},
            {"name": "Authorization", "value": "Bearer a/b+c=="},
            {"name": "X-CSRF-Token", "value": "\"q\"xy"},
            {"name": "Accept", "value": "7"},
        ],
        "httpRequestText": "user=bob&password=hunter22",
        "browserHtml": page,
        "httpResponseBody": STANDARD.encode(page),
        "config": {"password": "xyz"},
    });
    let after = redacted(&before);
    let text = after.to_string();
    for secret in ["s3ss10n", "a/b+c", "hunter22", "t0ken99", "the-api-key", "\"xyz\"", "a%2Fb"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let sid = after["requestCookies"][0]["value"].as_str().unwrap();
    assert!(sid.starts_with("COOKIE"));
    assert_eq!(
        after["customHttpRequestHeaders"][0]["value"],
        json!(format!("sid={sid}; n={}", after["requestCookies"][1]["value"].as_str().unwrap()))
    );
    assert!(after["browserHtml"].as_str().unwrap().contains(&format!("data-sid='{sid}'")));
    let body = STANDARD.decode(after["httpResponseBody"].as_str().unwrap()).unwrap();
    assert_eq!(std::str::from_utf8(&body).unwrap(), after["browserHtml"].as_str().unwrap());
    let token = after["customHttpRequestHeaders"][1]["value"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!(after["browserHtml"].as_str().unwrap().matches(token).count(), 2, "however it is written");
    assert_eq!(after["customHttpRequestHeaders"][3]["value"], "7", "a short value is ordinary text elsewhere");
    assert!(after["url"].as_str().unwrap().contains("shop.example/?page=2&"));
}

#[test]
fn ordinary_traffic_is_left_alone() {
    let plain = json!({
        "url": "https://shop.example/a?page=2",
        "session": {"id": "00000000-0000-4000-8000-000000000001"},
        "httpResponseHeaders": [{"name": "Content-Type", "value": "text/html"}],
        "author": "Ann",
        "actions": [{"action": "click", "status": "success"}],
    });
    assert_eq!(redacted(&plain), plain);
}

#[test]
fn a_set_cookie_header_loses_its_value_and_keeps_its_attributes() {
    let after = redacted(&json!({"httpResponseHeaders": [{"name": "set-cookie", "value": "sid=abcdef; Path=/; HttpOnly"}]}));
    assert_eq!(after["httpResponseHeaders"][0]["value"], "sid=COOKIE2; Path=/; HttpOnly");
}

#[test]
fn what_a_plugin_keeps_is_replaced_where_it_is_long_enough_to_be_a_token() {
    let mut secrets = Secrets::default();
    secrets.learn_stored(&json!({"t": "0123abcd", "zip": "10001", "name": "Store No 1"}));
    let mut value = json!({"page": "0123abcd 10001 Store No 1"});
    secrets.redactor().unwrap().value(&mut value);
    assert_eq!(value, json!({"page": "SECRET1 10001 Store No 1"}));
}

#[test]
fn learning_what_was_replaced_learns_nothing_new() {
    let before = json!({"requestCookies": [{"name": "sid", "value": "s3ss10n"}]});
    let mut secrets = Secrets::default();
    secrets.learn(&before);
    let mut after = before;
    secrets.redactor().unwrap().value(&mut after);
    secrets.learn(&after);
    assert_eq!(secrets.count, 1);
}

/// Secrets of every kind that a crawl can meet, each with the name of its place.
const HIDDEN: [&str; 38] = [
    "form-pass-1",
    "form-otp-22",
    "json-pwd-3",
    "json-deep-4",
    "b64-form-5",
    "b64-json-6",
    "answer-access-7",
    "answer-jwt-8",
    "answer-client-9",
    "fragment-10",
    "location-11",
    "location-12",
    "conf-pass-13",
    "conf-pwd-14",
    "conf-otp-15",
    "conf-pin-16",
    "conf-auth-17",
    "url-sig-18",
    "url-key-19",
    "url-code-20",
    "url-jwt-21",
    "url-sid-22",
    "pair-list-23",
    "typed-24-x",
    "part-25-xy",
    "hidden-26-x",
    "meta-27-xyz",
    "script-28-x",
    "xml-29-xyz",
    "nested-30-x",
    "text-json-31",
    "inner-b64-32",
    "saml-resp-33",
    "header-key-34",
    "userinfo-35",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "amz-sig-36-x",
    "list-37-xyz",
];

/// A fixture with all of them.
fn full() -> Value {
    let base64 = |text: &str| STANDARD.encode(text);
    let inner = base64(r#"{"pass": "inner-b64-32"}"#);
    let page = "<input type=hidden name=csrf_token value=hidden-26-x><meta name='csrf-token' content='meta-27-xyz'>\
        <script>var apiKey = \"script-28-x\";</script><s:Password>xml-29-xyz</s:Password><a href='/x?a=1&amp;sig=url-sig-18'>x</a>\
        eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    json!({
        "request": {
            "url": "https://shop.example/?sig=url-sig-18&key=url-key-19&code=url-code-20&jwt=url-jwt-21&sid=url-sid-22#access_token=fragment-10",
            "httpRequestText": "user=ann&pass=form-pass-1&otp=form-otp-22&SAMLResponse=saml-resp-33",
            "customHttpRequestHeaders": [
                {"name": "X-Api-Key", "value": "header-key-34"},
                {"name": "X-Data", "value": inner},
                {"name": "Referer", "value": "https://bob:userinfo-35@shop.example/?next=%2Flogin%3Ftoken%3Dnested-30-x"},
            ],
            "actions": [{"action": "type", "selector": {"type": "css", "value": "#password"}, "text": "typed-24-x"}],
        },
        "downloads": [
            {"params": {"httpRequestText": r#"{"pwd": "json-pwd-3", "a": [{"session_token": "json-deep-4"}]}"#}},
            {"params": {"httpRequestBody": base64("user=ann&password=b64-form-5")}},
            {"params": {"httpRequestBody": base64(r#"{"login": {"passwd": "b64-json-6"}}"#)}},
            {"params": {"httpRequestText": "--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\npart-25-xy\r\n--b--"}},
            {"answer": {"httpResponseBody": base64(r#"{"access_token":"answer-access-7","refreshJwt":"answer-jwt-8","client_secret":"answer-client-9"}"#)}},
            {"answer": {"httpResponseHeaders": [
                {"name": "Location", "value": "https://shop.example/cb?token=location-11#id_token=location-12"},
                {"name": "Link", "value": "<https://s3.example/f?X-Amz-Signature=amz-sig-36-x>; rel=next"},
            ]}},
            {"answer": {"browserHtml": page, "note": r#"{"secret": "text-json-31"}"#}},
        ],
        "config": {
            "pass": "conf-pass-13", "pwd": "conf-pwd-14", "otp": "conf-otp-15", "pin": "conf-pin-16", "auth": "conf-auth-17",
            "fields": [{"name": "password", "value": "pair-list-23"}], "tokens": ["list-37-xyz"],
        },
    })
}

#[test]
fn secrets_are_learned_from_everything_that_is_written() {
    let before = full();
    // Wherever they stand, they may stand anywhere else too, in any notation.
    let echo: Vec<Value> = HIDDEN
        .iter()
        .flat_map(|secret| {
            let url = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
            [
                json!(format!("echo {secret}!")),
                json!(format!("echo {url}")),
                json!({"httpResponseBody": STANDARD.encode(secret)}),
                json!(STANDARD.encode(format!("<<{secret}>>"))),
            ]
        })
        .collect();
    let after = redacted(&json!([before, echo]));
    let mut told = after.to_string();
    for (_, decoded) in notations::base64_in(&after.to_string()) {
        told += &decoded;
    }
    for secret in HIDDEN {
        let url = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert!(
            !told.contains(secret) && !told.contains(&url) && !told.contains(&STANDARD.encode(secret)),
            "{secret} is in {told}"
        );
    }
    let url = after[0]["request"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://shop.example/?sig=SECRET") && url.contains("#access_token=SECRET"), "{url}");
    let html = after[0]["downloads"][6]["answer"]["browserHtml"].as_str().unwrap();
    let sig = url.split("sig=").nth(1).unwrap().split('&').next().unwrap();
    assert!(html.contains(&format!("&amp;sig={sig}'")), "{html}");
}

#[test]
fn a_short_secret_is_replaced_where_it_stands_as_one_and_nowhere_else() {
    let after = redacted(
        &json!({"url": "https://a.example/?pin=12&page=12", "config": {"pwd": "abc", "otp": 77}, "text": "abc 77 12 {\"otp\": 77}"}),
    );
    assert_eq!(
        after["url"],
        "https://a.example/?pin=91&page=12".replace("91", after["url"].as_str().unwrap().split(['=', '&']).nth(1).unwrap())
    );
    assert!(!after["url"].as_str().unwrap().contains("pin=12"), "{after}");
    assert!(after["config"]["pwd"].as_str().unwrap().starts_with("SECRET") && after["config"]["otp"].is_u64(), "{after}");
    let otp = &after["config"]["otp"];
    assert_ne!(otp, 77);
    assert_eq!(after["text"], format!("abc 77 12 {{\"otp\": {otp}}}"));
}

#[test]
fn a_secret_of_digits_leaves_json_valid_and_other_numbers_alone() {
    let page = STANDARD.encode(r#"{"otp": 123456, "price": 1234567, "again": 123456}"#);
    let after = redacted(&json!({"httpResponseBody": page, "config": {"pin": "123456"}, "n": 123456}));
    let body: Value = serde_json::from_slice(&STANDARD.decode(after["httpResponseBody"].as_str().unwrap()).unwrap()).unwrap();
    assert!(body["otp"].is_u64() && body["otp"] != 123_456 && body["price"] == 1_234_567, "{body}");
    assert_eq!((&body["again"], &after["n"]), (&body["otp"], &body["otp"]));
    assert_eq!(after["config"]["pin"], body["otp"].to_string());
}

#[test]
fn words_of_fixtures_and_rules_of_settings_are_no_secrets() {
    for plain in [
        json!({"config": {"token": "{session.form}", "csrf": "input[name=csrf]::attr(value)", "auth": true, "password_field": "pw"}}),
        json!({"expect": {"verdict": "keep"}, "config": {"password": "keep"}}),
        json!({"token_type": "Bearer", "expires_in": 3600, "code": "US", "key": "sku", "postalCode": "10001"}),
        json!({"httpRequestText": r#"{"key": "price", "code": 10001}"#, "url": "https://a.example/?code=US&key=price"}),
        json!({"url": "https://a.example/?zip=10001&sort=price", "text": "a=b&c=d"}),
    ] {
        assert_eq!(redacted(&plain), plain);
    }
}

#[test]
fn a_session_is_told_by_its_id_whatever_a_plugin_keeps() {
    let id = "00000000-0000-4000-8000-000000000001";
    let mut secrets = Secrets::default();
    secrets.spare(id);
    secrets.learn_stored(&json!({"own": id, "other": "0123abcd"}));
    let mut value = json!([id, "0123abcd"]);
    secrets.redactor().unwrap().value(&mut value);
    assert_eq!(value, json!([id, "SECRET1"]));
}
