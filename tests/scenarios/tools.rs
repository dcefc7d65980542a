//! The commands that look into plugins: what they show, and what their exit codes tell.

use serde_json::{Value, json};

use crate::harness::tool::Workshop;

/// A component that exports and imports interfaces of these names without anything in them, as a build with another SDK would.
fn component(import: Option<&str>, export: &str) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let mut section = |id: u8, content: &[u8]| bytes.extend([&[id, u8::try_from(content.len()).unwrap()], content].concat());
    let name = |name: &str| [&[0, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    if let Some(import) = import {
        section(7, &[1, 0x42, 0]);
        section(10, &[&[1], name(import).as_slice(), &[5, 0]].concat());
    }
    section(5, &[1, 1, 0]);
    section(11, &[&[1], name(export).as_slice(), &[5, u8::from(import.is_some()), 0]].concat());
    bytes
}

#[test]
fn check_says_what_a_component_is_and_what_it_wants() {
    let workshop = Workshop::new().guest("guest-good").guest("guest-misbehaving");
    let good = workshop.run("plugin check plugins/guest-good.wasm").exits(0);
    good.shows(&["guest-good 0.1.0", "carousel:session@", "KiB", "hooks      check", "good.example", "can be used"]);
    let told = workshop.run("plugin check plugins/guest-good.wasm --json").exits(0).json();
    assert_eq!(told[0]["hooks"], json!(["check"]));
    assert_eq!(told[0]["imports"], json!([]), "it needs nothing but the interface");
    workshop.run("plugin check plugins/guest-misbehaving.wasm").exits(0).shows(&["allowed: wasi:", "clocks@", "can be used"]);
    let told_other = workshop.run("plugin check plugins/guest-misbehaving.wasm --json").exits(0).json();
    let imports = told_other[0]["imports"].as_array().unwrap();
    assert!(!imports.is_empty() && imports.iter().all(|import| import["allowed"] == true), "{imports:?}");
    assert!(told[0]["bytes"].as_u64().unwrap() > 10_000 && told[0]["error"].is_null());
}

#[test]
fn check_names_both_versions_of_the_interface_and_what_is_not_given() {
    let workshop = Workshop::new()
        .guest("guest-good")
        .file("newer.wasm", component(None, "carousel:session/hooks@0.7.0"))
        .file("half.wasm", component(Some("carousel:session/host@0.7.0"), "carousel:session/hooks@0.1.0"))
        .file("http.wasm", component(Some("wasi:http/outgoing-handler@0.2.0"), "carousel:session/hooks@0.1.0"))
        .file("text.wasm", "no plugin");
    for (file, parts) in [
        ("newer", &["carousel:session/hooks@0.7.0", "serves carousel:session@"][..]),
        ("half", &["carousel:session/host@0.7.0", "serves carousel:session@"]),
        ("http", &["denied: wasi:http@0.2.0 (outgoing-handler)", "not given: wasi:http/outgoing-handler@0.2.0"]),
        ("text", &["interface  none", "it is not WebAssembly", "plugin build"]),
    ] {
        let ended = workshop.run(&format!("plugin check {file}.wasm")).exits(1);
        ended.shows(parts);
        ended.shows(&["cannot be used"]);
    }
    let both = workshop.run("plugin check plugins/guest-good.wasm newer.wasm --json").exits(1).json();
    assert!(both[0]["error"].is_null() && both[1]["interface"] == json!(["0.7.0"]), "{both:?}");
    workshop.run("plugin check none.wasm").exits(2).says(&["no file none.wasm", "plugin build"]);
    workshop.run("plugin check").exits(2);
}

/// A component of another version among the plugins of a crawl: told in the same words, and the rest works.
#[test]
fn a_crawl_names_both_versions_too_and_goes_on() {
    let workshop = Workshop::new()
        .settings("on_bad = \"skip\"\n")
        .guest("guest-good")
        .file("plugins/newer.wasm", component(None, "carousel:session/hooks@0.7.0"))
        .file("urls.txt", "https://other.example/\n");
    let ended = workshop.run("crawl urls.txt --simulate --plugins plugins").exits(0);
    ended.says(&["newer.wasm", "carousel:session/hooks@0.7.0", "serves carousel:session@"]);
}

#[test]
fn check_finds_rules_that_overlap_and_says_which_one_wins() {
    let tables = r#"
        [[site]]
        name = "sale"
        plugin = "guest-scripted"
        include = ["good.example/sale"]
    "#;
    let workshop = Workshop::new().settings(tables).guest("guest-good").guest("guest-scripted");
    let ended = workshop.run("plugin check plugins/guest-good.wasm --plugins plugins").exits(0);
    ended.shows(&[
        "overlap    https://good.example/sale is matched by sale, too; sale serves it: another one has the more specific",
    ]);
    let alone = workshop.run("plugin check plugins/guest-good.wasm --json").exits(0).json();
    assert_eq!(alone[0]["overlaps"], json!([]));
}

#[test]
fn list_shows_the_plugins_of_a_directory_and_those_that_cannot_be_used() {
    let workshop = Workshop::new().guest("guest-good").guest("guest-scripted");
    let table = workshop.run("plugin list plugins").exits(0);
    let heading: Vec<&str> = table.stdout[0].split_whitespace().collect();
    assert_eq!(heading, ["file", "name", "version", "size", "hooks", "rules"]);
    table.shows(&["guest-good.wasm", "good.example", "guest-scripted.wasm", "init-session", "[[site]]"]);
    let broken = workshop.file("plugins/broken.wasm", "no plugin").run("plugin list --plugins plugins --json").exits(1).json();
    let errors: Vec<bool> = broken.iter().map(|plugin| plugin["error"].is_null()).collect();
    assert_eq!(errors, [false, true, true], "{broken:?}");
    let empty = Workshop::new();
    empty.run("plugin list plugins").exits(0).shows(&["no plugins in plugins"]);
    empty.run("plugin list").exits(2).says(&["--plugins"]);
    empty.run("plugin list nowhere").exits(2).says(&["nowhere does not exist"]);
}

const REQUEST: &str = r#"{"url": "https://good.example/a", "browserHtml": true}"#;

#[test]
fn run_calls_one_hook_and_tells_its_answer_and_what_it_took() {
    let workshop = Workshop::new()
        .guest("guest-good")
        .file("request.json", REQUEST)
        .file("good.json", json!({"url": "u", "browserHtml": "<p class=ok>fine</p>"}).to_string())
        .file("bad.json", json!({"url": "u", "browserHtml": "<p>no</p>"}).to_string());
    let run = "plugin run plugins/guest-good.wasm";
    let kept = workshop.run(&format!("{run} check --request request.json --response good.json")).exits(0);
    assert_eq!(kept.json(), [json!({"verdict": "keep"})]);
    kept.says(&["looked at   css ", "time ", "memory ", "KiB"]);
    let discarded = workshop.run(&format!("{run} check --request request.json --response bad.json")).exits(0);
    assert_eq!(discarded.json()[0]["verdict"], "discard");
    let pool = workshop.run(&format!("{run} pool --request request.json")).exits(0);
    assert_eq!(pool.json(), [json!("good.example")]);
    pool.says(&["does not override pool: the host answers"]);
    workshop.run(&format!("{run} check --request request.json")).exits(2).says(&["--response"]);
    workshop.run(&format!("{run} chek --request request.json")).exits(2).says(&["no hook \"chek\"", "process_request"]);
    workshop.run(&format!("{run} check --request none.json --response good.json")).exits(2).says(&["cannot read none.json"]);
    workshop.run(&format!("{run} check --site x --request request.json")).exits(2).says(&["no [[site]] with the name \"x\""]);
}

/// The hook language of a scripted guest: a token from a download, kept for the session and sent with each request.
fn login() -> Value {
    json!({"hooks": {
        "init_session": {
            "chain": [{"url": "https://{host}/login", "params": {"browserHtml": true}, "store": {"token": {"$response": "token"}}}],
            "return": true,
        },
        "process_request": {
            "edit": {"params": {"customHttpRequestHeaders": [{"name": "token", "value": "{session.token}"}]}},
        },
    }})
}

#[test]
fn run_gives_downloads_recorded_answers_and_shows_what_is_stored() {
    let site = "[[site]]\nname = \"shop\"\nplugin = \"guest-scripted\"\nconfig = \"shop.json\"\n";
    let workshop = Workshop::new()
        .settings(site)
        .guest("guest-scripted")
        .file("shop.json", login().to_string())
        .file("request.json", REQUEST)
        .file("answers.json", json!([{"url": "u", "token": "t-1"}]).to_string())
        .file("errors.json", json!([{"error": {"status": 520, "type": "/download/temporary-error"}}]).to_string());
    let run = "plugin run plugins/guest-scripted.wasm";
    let init = format!("{run} init_session --site shop --request request.json");
    let ended = workshop.run(&format!("{init} --answers answers.json")).exits(0);
    assert_eq!(ended.json(), [json!(true)]);
    ended.says(&[r#"stored      {"token":"t-1"}"#]);
    let failed = workshop.run(&format!("{init} --answers errors.json")).exits(1).json();
    assert_eq!(failed[0]["error"]["kind"], "download", "{failed:?}");
    let none = workshop.run(&init).exits(1).json();
    assert!(none[0]["error"]["message"].as_str().unwrap().contains("no recorded answer is left"), "{none:?}");

    let config = login().to_string();
    let args = ["plugin", "run", "plugins/guest-scripted.wasm", "process-request", "--request", "request.json"];
    let with = |data: &str| {
        let flags = ["--site-config", &config, "--session-data", data];
        workshop.run_with(&[&args[..], &flags].concat())
    };
    let edit = with(r#"{"token": "t-2"}"#).exits(0).json();
    assert_eq!(edit[0]["set"]["customHttpRequestHeaders"], json!([{"name": "token", "value": "t-2"}]));
    with("[]").exits(2).says(&["--session-data is not the JSON"]);
}

#[test]
fn run_tells_a_plugin_that_is_stopped_and_one_that_cannot_be_used() {
    let workshop = Workshop::new()
        .guest("guest-misbehaving")
        .file("request.json", r#"{"url": "https://misbehaving.example/check/panic"}"#)
        .file("broken.wasm", "no plugin")
        .file("answer.json", json!({"url": "u"}).to_string());
    workshop.run("plugin run broken.wasm check --request request.json").exits(1).says(&["cannot be used", "not WebAssembly"]);
    let args = "check --request request.json --response answer.json";
    let error = &workshop.run(&format!("plugin run plugins/guest-misbehaving.wasm {args}")).exits(1).json()[0]["error"];
    assert_eq!(error["kind"], "trapped");
    assert!(error["message"].as_str().unwrap().contains("panicked"), "{error}");
}

#[test]
fn bench_measures_each_hook_that_is_overridden() {
    let workshop = Workshop::new().guest("guest-good");
    let ended = workshop.run("plugin bench plugins/guest-good.wasm --seconds 0.05").exits(0);
    let calls: Vec<&str> = ended.stdout.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(calls, ["call", "(empty)", "check"]);
    ended.shows(&["calls/s", "making the instance", "× an empty call"]);
    workshop.run("plugin bench plugins/guest-good.wasm --seconds 0").exits(2).says(&["--seconds"]);
}

/// Notepad, PowerShell and spreadsheets mark UTF-8 or write UTF-16.
#[test]
fn files_may_come_from_any_editor() {
    let utf16 = |text: &str| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    for written in [&utf16 as &dyn Fn(&str) -> Vec<u8>, &marked] {
        let table = "[[site]]\nname = \"mine\"\nplugin = \"guest-good\"\ninclude = [\"shop.example\"]\nconfig = \"mine.json\"\n";
        let workshop = Workshop::new()
            .guest("guest-good")
            .file("carousel.toml", written(table))
            .file("mine.json", written("{\"zip\": \"10001\"}"))
            .file("request.json", written("{\"url\": \"https://shop.example/\", \"httpResponseBody\": true}"))
            .file("urls.txt", written("https://other.example/a\r\nhttps://other.example/b\r\n"))
            .file("faults.json", written("[{\"nonsense\": 1}]"));
        workshop.run("plugin explain https://shop.example/ --request request.json --plugins plugins").exits(0).shows(&["mine"]);
        let crawled = workshop.run("crawl urls.txt --simulate --plugins plugins").exits(0);
        assert_eq!(crawled.stdout.len(), 2);
        workshop.run("simulate --faults faults.json").exits(2).says(&["nonsense"]);
    }
}

/// What lies about in a directory of plugins takes nothing from those that work, and none of it is waited for.
#[cfg(unix)]
#[test]
fn what_is_no_file_among_the_plugins_is_told_by_its_name_and_the_others_are_shown() {
    use std::os::unix::fs::symlink;
    let workshop =
        Workshop::new().guest("guest-good").file("plugins/._guest-good.wasm", "notes of a Mac").file("plugins/.hidden.wasm", "");
    symlink("nowhere", workshop.path("plugins/dangling.wasm")).unwrap();
    symlink("loop.wasm", workshop.path("plugins/loop.wasm")).unwrap();
    std::fs::create_dir(workshop.path("plugins/folder.wasm")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(workshop.path("plugins/pipe.wasm")).status().unwrap();
    assert!(made.success());
    let odd = ["dangling.wasm", "folder.wasm", "loop.wasm", "pipe.wasm"];
    let listed = workshop.run("plugin list plugins --json").exits(1).json();
    let names = |plugins: &[Value]| {
        plugins.iter().map(|it| it["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&listed), ["dangling.wasm", "folder.wasm", "guest-good.wasm", "loop.wasm", "pipe.wasm"]);
    let broken: Vec<bool> = listed.iter().map(|plugin| !plugin["error"].is_null()).collect();
    assert_eq!(broken, [true, true, false, true, true], "{listed:?}");
    workshop.run("plugin list plugins").exits(1).shows(&["guest-good.wasm", "good.example", "pipe.wasm: it is not a file"]);
    let files = odd.map(|name| format!("plugins/{name}")).join(" ");
    let checked = workshop.run(&format!("plugin check plugins/guest-good.wasm {files} --json")).exits(1).json();
    let broken: Vec<bool> = checked.iter().map(|plugin| !plugin["error"].is_null()).collect();
    assert_eq!(broken, [false, true, true, true, true], "{checked:?}");
}

#[test]
fn hidden_files_are_no_plugins_of_a_crawl() {
    let workshop = Workshop::new()
        .guest("guest-good")
        .file("plugins/._guest-good.wasm", "notes of a Mac")
        .file("urls.txt", "https://other.example/\n");
    let ended = workshop.run("crawl urls.txt --simulate --plugins plugins").exits(0);
    assert!(!ended.stderr.contains("._guest-good"), "{}", ended.stderr);
}

#[test]
fn check_warns_of_what_can_never_work() {
    let table = |name: &str, config: &str| {
        format!(
            "[[site]]\nname = \"{name}\"\nplugin = \"declarative\"\ninclude = [\"{name}.example\"]\n[site.config]\n{config}\n"
        )
    };
    let params = "params = { url = \"https://{host}/\", browserHtml = true";
    let tables = [
        table("waits", &format!("{params}, actions = [{{ action = \"waitForNavigation\" }}] }}")),
        table("blind", "params = { url = \"https://{host}/\", product = true }\ncheck = [{ require = { css = \".zip\" } }]"),
        table("deaf", &format!("{params} }}\ncheck = [{{ require = {{ header = \"X-Shop\" }} }}]")),
        table("empty", "params = { url = \"https://{host}/\" }"),
        table(
            "later",
            "params = { url = \"https://{host}/\", product = true }\ncheck = [{ on = \"page\", require = { css = \".zip\" } }]",
        ),
        table("good", &format!("{params} }}\ncheck = [{{ require = {{ css = \".zip\" }} }}]")),
    ];
    let workshop = Workshop::new().plugin("declarative").settings(&tables.concat());
    let told = workshop.run("plugin check plugins/declarative.wasm --json").exits(0).json();
    let warnings: Vec<&str> = told[0]["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (site, part) in [
        ("waits", "params begins its actions with waitForNavigation"),
        ("blind", "set \"browserHtml\" or \"httpResponseBody\""),
        ("deaf", "set \"httpResponseHeaders\""),
        ("empty", "no output is asked for"),
    ] {
        let of_site: Vec<&&str> = warnings.iter().filter(|warning| warning.contains(&format!("\"{site}\""))).collect();
        assert!(of_site.len() == 1 && of_site[0].contains(part), "{site}: {warnings:?}");
    }
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    workshop.run("plugin check plugins/declarative.wasm").exits(0).shows(&["warning    [[site]] \"blind\": check looks at"]);
}
