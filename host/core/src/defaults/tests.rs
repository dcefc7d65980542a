use super::*;

fn request(meta: Value) -> Request {
    Request::from_json(json!({"url": "https://bob:pw@shop.example/a", "meta": meta})).unwrap()
}

fn pool(names: &mut PoolNames, profile: Profile, settings: &SessionSettings, meta: Value) -> String {
    let request = request(meta);
    let location = location(settings, &request);
    names.pool(profile, settings, &request, &location).unwrap().id
}

#[test]
fn metadata_beats_settings_and_null_means_no() {
    let settings =
        SessionSettings { enabled: Some(true), location: object(json!({"postalCode": "1"})), ..SessionSettings::default() };
    for (meta, on) in
        [(json!({}), true), (json!({"zyte_api_session_enabled": null}), false), (json!({"zyte_api_session_enabled": 1}), true)]
    {
        assert_eq!(enabled(&settings, Profile::Default, &request(meta)), on);
    }
    assert_eq!(location(&settings, &request(json!({}))), settings.location);
    assert!(location(&settings, &request(json!({"zyte_api_session_location": null}))).is_empty());
}

#[test]
fn a_location_of_the_request_beats_the_params_of_the_settings_and_one_of_the_settings_does_not() {
    let settings = SessionSettings {
        params: object(json!({"screenshot": true})),
        location: object(json!({"postalCode": "1"})),
        ..SessionSettings::default()
    };
    assert_eq!(explicit_params(&settings, &request(json!({}))), Some(&settings.params));
    assert_eq!(explicit_params(&settings, &request(json!({"zyte_api_session_location": {"postalCode": "2"}}))), None);
    let own = request(json!({"zyte_api_session_location": {"postalCode": "2"}, "zyte_api_session_params": {"a": 1}}));
    assert_eq!(explicit_params(&settings, &own), Some(&object(json!({"a": 1}))));
}

#[test]
fn the_peers_short_names() {
    let settings = SessionSettings::default();
    let mut names = PoolNames::default();
    let mut name = |meta| pool(&mut names, Profile::ScrapyZyteApi, &settings, meta);
    assert_eq!(name(json!({})), "shop.example");
    assert_eq!(name(json!({"zyte_api_session_pool": "x"})), "x");
    assert_eq!(
        name(json!({"zyte_api_session_location": {"postalCode": "1", "addressCountry": "US", "city": "x"}})),
        "shop.example@US,1"
    );
    assert_eq!(name(json!({"zyte_api_session_location": {"postalCode": 10001}})), "shop.example@10001");
    assert_eq!(name(json!({"zyte_api_session_params": {"a": 1, "b": 2}})), "shop.example[0]");
    assert_eq!(name(json!({"zyte_api_session_params": {"c": 1}})), "shop.example[1]");
    assert_eq!(name(json!({"zyte_api_session_params": {"b": 2, "a": 1}})), "shop.example[0]");
}

#[test]
fn different_locations_never_share_a_pool_in_either_profile() {
    let settings = SessionSettings::default();
    for profile in [Profile::Default, Profile::ScrapyZyteApi] {
        let mut names = PoolNames::default();
        let places = [
            json!({"city": "Paris"}),
            json!({"city": "Rome"}),
            json!({"addressRegion": "1000"}),
            json!({"postalCode": "1000"}),
            json!({"addressRegion": "a", "postalCode": "b"}),
            json!({"addressRegion": "a,postalCode=b"}),
            json!({"addressRegion": "a,b"}),
            json!({"addressRegion": true}),
            json!({"addressRegion": "true"}),
        ];
        let mut seen: Vec<String> = places
            .iter()
            .map(|place| pool(&mut names, profile, &settings, json!({"zyte_api_session_location": place})))
            .collect();
        seen.push(pool(&mut names, profile, &settings, json!({})));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), places.len() + 1, "{seen:?}");
    }
}

#[test]
fn a_name_does_not_depend_on_the_order_of_arrival() {
    let settings = SessionSettings::default();
    let a = json!({"zyte_api_session_params": {"a": 1}});
    let b = json!({"zyte_api_session_params": {"b": 1}});
    let mut names = PoolNames::default();
    let first =
        [pool(&mut names, Profile::Default, &settings, a.clone()), pool(&mut names, Profile::Default, &settings, b.clone())];
    let mut names = PoolNames::default();
    let second = [pool(&mut names, Profile::Default, &settings, b), pool(&mut names, Profile::Default, &settings, a)];
    assert_eq!(first, [second[1].clone(), second[0].clone()]);
}

#[test]
fn a_request_without_the_location_of_the_settings_has_a_pool_of_its_own() {
    let settings = SessionSettings { location: object(json!({"postalCode": "1"})), ..SessionSettings::default() };
    let mut names = PoolNames::default();
    let mut name = |meta| pool(&mut names, Profile::Default, &settings, meta);
    assert_eq!(name(json!({})), "shop.example");
    assert_eq!(name(json!({"zyte_api_session_location": null})), "shop.example@");
}

#[test]
fn a_location_in_place_of_the_params_of_the_settings_has_a_pool_of_its_own() {
    let settings = SessionSettings {
        params: object(json!({"screenshot": true})),
        location: object(json!({"postalCode": "1"})),
        ..SessionSettings::default()
    };
    let mut names = PoolNames::default();
    let mut name = |meta| pool(&mut names, Profile::Default, &settings, meta);
    assert_eq!(name(json!({})), "shop.example");
    assert_eq!(name(json!({"zyte_api_session_location": {"postalCode": "1"}})), "shop.example@postalCode=1");
}

fn line(members: Value) -> Request {
    let mut line = json!({"url": "https://shop.example/a"});
    line.as_object_mut().unwrap().extend(object(members));
    Request::from_json(line).unwrap()
}

#[test]
fn the_place_of_a_request_is_its_own_word_then_that_of_its_initialisation() {
    let settings = SessionSettings { params: object(json!({"geolocation": "US", "ipType": "x"})), ..SessionSettings::default() };
    for (members, expected) in [
        (json!({}), json!({"geolocation": "US", "ipType": "x"})),
        (json!({"geolocation": "DE"}), json!({"geolocation": "DE", "ipType": "x"})),
        (json!({"meta": {"zyte_api_session_params": {"ipType": "y"}}}), json!({"ipType": "y"})),
        (
            json!({"geolocation": "DE", "meta": {"zyte_api_session_params": {"geolocation": "DE", "ipType": "y"}}}),
            json!({"geolocation": "DE", "ipType": "y"}),
        ),
        (json!({"meta": {"zyte_api_session_location": {"postalCode": "1"}}}), json!({})),
    ] {
        assert_eq!(place(&settings, &line(members.clone())), Ok(Place::of(&object(expected))), "{members}");
    }
}

#[test]
fn a_request_that_contradicts_itself_about_its_place_is_told_so() {
    let params = json!({"geolocation": "US", "ipType": "residential"});
    for (own, told) in [
        (json!({"geolocation": "DE"}), "geolocation \"DE\" and zyte_api_session_params \"US\""),
        (json!({"ipType": "datacenter", "geolocation": "US"}), "ipType \"datacenter\""),
    ] {
        let mut members = own;
        members["meta"] = json!({"zyte_api_session_params": params});
        let why = place(&SessionSettings::default(), &line(members)).unwrap_err();
        assert!(why.contains(told), "{why}");
    }
}

#[test]
fn a_chosen_name_says_nothing_of_the_requests_params_and_an_automatic_one_does() {
    let settings = SessionSettings { params: object(json!({"geolocation": "US"})), ..SessionSettings::default() };
    let request = line(json!({"meta": {"zyte_api_session_params": {"geolocation": "DE"}}}));
    let usual = |naming| usual_place(&settings, &request, naming);
    assert_eq!(usual(Naming::Automatic), Place::of(&object(json!({"geolocation": "DE"}))));
    assert_eq!(usual(Naming::Explicit), Place::of(&object(json!({"geolocation": "US"}))));
}

#[test]
fn initialisations_go_to_pages_of_the_web_only() {
    let settings = SessionSettings { params: object(json!({"url": "file:///etc/passwd"})), ..SessionSettings::default() };
    let bad = |settings: &SessionSettings, members| bad_init_url(settings, &line(members));
    assert!(bad(&settings, json!({})).unwrap().starts_with("session.params: the url \"file:///etc/passwd\""));
    let meta = |url: Value| json!({"meta": {"zyte_api_session_params": {"url": url}}});
    assert_eq!(bad(&settings, meta(json!("http://169.254.169.254/"))), None, "the user's own word");
    for url in [json!("ftp://a.example/"), json!(3), json!(""), json!("//a.example/")] {
        assert!(bad(&SessionSettings::default(), meta(url.clone())).unwrap().starts_with("zyte_api_session_params"), "{url}");
    }
    assert_eq!(bad(&SessionSettings::default(), json!({})), None);
}

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

#[test]
fn metadata_of_the_wrong_type_is_told_with_what_it_should_be() {
    for (wrong, told) in [
        (json!({"zyte_api_session_enabled": "no"}), "meta.zyte_api_session_enabled is \"no\", expected true or false"),
        (json!({"zyte_api_session_cookie_mode": 2}), "meta.zyte_api_session_cookie_mode is 2, expected true or false"),
        (json!({"zyte_api_session_location": "10001"}), "meta.zyte_api_session_location is \"10001\", expected an address"),
        (json!({"zyte_api_session_location": [1]}), "meta.zyte_api_session_location is [1]"),
        (json!({"zyte_api_session_params": true}), "meta.zyte_api_session_params is true, expected an object"),
        (json!({"max_retry_times": "3"}), "meta.max_retry_times is \"3\", expected a whole number"),
        (json!({"max_retry_times": -1}), "meta.max_retry_times is -1"),
    ] {
        let mistake = meta_mistake(&request(wrong)).unwrap();
        assert!(mistake.starts_with(told), "{mistake}");
    }
    let long = meta_mistake(&request(json!({"zyte_api_session_enabled": "x".repeat(1000)}))).unwrap();
    assert!(long.len() < 200, "{long}");
    for right in [
        json!({}),
        json!({"zyte_api_session_enabled": 0, "zyte_api_session_cookie_mode": true, "zyte_api_session_location": {}}),
        json!({"zyte_api_session_enabled": null, "zyte_api_session_location": null, "zyte_api_session_params": null}),
        json!({"max_retry_times": 0, "anything": "else"}),
    ] {
        assert_eq!(meta_mistake(&request(right)), None);
    }
    let misplaced = Request::from_json(json!({"url": "u", "zyte_api_session_location": {"postalCode": "1"}})).unwrap();
    assert!(meta_mistake(&misplaced).unwrap().contains("write {\"meta\": {\"zyte_api_session_location\""));
}
