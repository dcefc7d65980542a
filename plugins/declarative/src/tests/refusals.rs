//! Configs that are refused when the site is loaded, and the words for it.

use super::*;

fn refusal(config: Value) -> String {
    let _host = testing::Host::new().config(config.clone()).start();
    match Declarative::configure() {
        Err(error) => error.message().to_owned(),
        Ok(hooks) => unreachable!("{config} is taken: {hooks:?}"),
    }
}

#[test]
fn what_is_wrong_is_named_with_its_path_and_the_nearest_right_word() {
    let rule = |rule: Value| json!({"check": [rule]});
    for (config, words) in [
        (json!({"chek": []}), "config: unknown key \"chek\"; did you mean \"check\"?"),
        (json!({"zzz": 1}), "known here: enabled, cookie_mode, pool, location, only_with_location, params, init, usual_check"),
        (json!([]), "config: expected a table, not []"),
        (json!({"enabled": "yes"}), "enabled: expected true or false, not \"yes\""),
        (rule(json!({"require": {"cs": "p"}})), "check[0].require: unknown key \"cs\"; did you mean \"css\"?"),
        (rule(json!({"require": {"css": "p["}})), "check[0].require.css: cannot read the CSS selector"),
        (rule(json!({"require": {"regex": "("}})), "check[0].require.regex: cannot read the regular expression"),
        (rule(json!({"require": {"jmespath": "a["}})), "check[0].require.jmespath: cannot read the JMESPath expression"),
        (rule(json!({"require": {"pointer": "a"}})), "check[0].require.pointer: cannot read the JSON pointer"),
        (rule(json!({"require": {"css": "p", "matches": "("}})), "check[0].require.matches: the regular expression \"(\""),
        (rule(json!({"require": {"css": "p", "xpath": "//p"}})), "check[0].require: css and xpath exclude each other"),
        (rule(json!({"require": {"css": "p", "status": 200}})), "check[0].require: a condition is one question"),
        (rule(json!({"require": {}})), "check[0].require: a condition needs a question"),
        (rule(json!({"require": {"css": "p", "equals": "a", "contains": "b"}})), "equals and contains exclude each other"),
        (rule(json!({"require": {"param": "a", "at_least": 2}})), "check[0].require: at_least counts matches on a page"),
        (rule(json!({"require": {"all": []}})), "check[0].require.all: expected at least one condition"),
        (rule(json!({"require": {"status": "4yx"}})), "check[0].require.status: expected a status such as 200 or \"4xx\""),
        (rule(json!({"require": {"not": {"css": 5}}})), "check[0].require.not.css: expected text, not 5"),
        (rule(json!({"when": {"css": "p"}})), "check[0]: a rule needs require"),
        (rule(json!({"on": "pages", "require": {"css": "p"}})), "check[0].on: unknown word \"pages\"; did you mean \"page\"?"),
        (rule(json!({"require": {"css": "p"}, "otherwise": "discrad"})), "did you mean \"discard\"? (known: discard, reject"),
        (rule(json!({"require": {"css": "p"}, "otherwise": {"throttled": -1}})), "otherwise.throttled: expected a number from 0"),
        (rule(json!({"require": {"css": "p"}, "otherwise": {}})), "check[0].otherwise: expected one word and its reason"),
        (json!({"params": {"url": "https://{hst}/"}}), "params.url: unknown placeholder {hst}; did you mean \"host\"?"),
        (json!({"params": {"url": "{host:uri}"}}), "params.url: unknown form \"uri\"; did you mean \"url\"?"),
        (json!({"params": {"url": "{host"}}), "params.url: a brace without its other half"),
        (json!({"params": {"url": "{found}"}}), "params.url: {found} is not known at this point"),
        (json!({"pool": "{session.a}"}), "pool: {session.a} is not known at this point"),
        (json!({"pool": {"size": 1}}), "pool: a pool needs an id"),
        (json!({"pool": {"id": "a", "sise": 1}}), "pool: unknown key \"sise\"; did you mean \"size\"?"),
        (json!({"location": {"postal_code": "1"}}), "location: unknown key \"postal_code\"; did you mean \"postalCode\"?"),
        (json!({"save": {"token": {"on": "init"}}}), "save.token: a value is saved from css, xpath"),
        (
            json!({"save": {"token": {"css": "p"}}, "edit": [{"headers": {"T": "{session.tokn}"}}]}),
            "edit[0].headers.T: nothing saves \"tokn\"; did you mean \"token\"? (saved: token)",
        ),
        (json!({"edit": [{"when": {"css": "p"}}]}), "edit[0].when: unknown key \"css\""),
        (json!({"edit": [{"body": "a", "form": {}}]}), "edit[0]: body, json and form exclude each other"),
        (json!({"edit": [{"headers": {"A": ["b"]}}]}), "edit[0].headers.A: expected text"),
        (json!({"params": {}, "init": [{"params": {}}]}), "params and init exclude each other"),
        (json!({"init": [{"save": {}}]}), "init[0]: a step needs params"),
        (json!({"init": [{"params": {}, "save": {"a": {"css": "p", "on": "init"}}}]}), "init[0].save.a: unknown key \"on\""),
        (
            json!({"init": [{"params": {}, "check": [{"require": {"css": "p"}, "otherwise": "reject"}]}]}),
            "init[0].check[0]: there is no page yet",
        ),
    ] {
        let refused = refusal(config.clone());
        assert!(refused.contains(words), "{config}: {refused}");
    }
}
