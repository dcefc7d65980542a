//! What keeps a command from starting: each is told with its place, its cause and what to do, with exit code 2.

use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::crawl::Crawl;
use crate::harness::process::{Running, carousel_in_shell, command};
use crate::harness::reply::Reply;
use crate::harness::write_file;

/// Runs a command in a folder with these files; the answer is what it said.
fn refused(files: &[(&str, &str)], args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write_file(dir.path(), name, content);
    }
    let mut command = command(dir.path());
    command.args(args);
    let ended = Running::start(command).end();
    assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0), "{args:?}: {}", ended.stderr);
    ended.stderr
}

#[test]
fn bad_usage_is_told_before_anything_is_sent() {
    for (args, parts) in [
        (&["crawl", "no-such-file", "--simulate"][..], &["cannot read the input file no-such-file"][..]),
        (&["crawl", ".", "--simulate"], &["cannot read the input file", "directory"]),
        (&["crawl", "-", "--simulate"], &["no requests in standard input", "empty"]),
        (&["crawl", "-"], &["no API key", "--api-key", "ZYTE_API_KEY", ".env", "--simulate"]),
        (&["crawl", "-", "--simulate", "--plugins", "nowhere"], &["the plugin directory nowhere does not exist"]),
        (&["crawl", "-", "--simulate", "--output", "no/such/dir/out"], &["cannot write the output file no/such/dir/out"]),
        (&["crawl", "-", "--simulate", "--stats", "no/such/dir/out"], &["cannot write the stats file no/such/dir/out"]),
        (&["crawl", "-", "--simulate", "--config", "none.toml"], &["none.toml"]),
        (&["crawl", "-", "--api-url", "ftp://x/", "--api-key", "k"], &["must start with http"]),
        (&["crawl", "-", "--n-conn", "0"], &["--n-conn"]),
        (&["crawl", "-", "--frob"], &["--frob"]),
        (&["simulate", "--faults", "none.json"], &["cannot read the faults file none.json"]),
        (&["simulate", "--time-scale", "1e12"], &["--time-scale 1000000000000", "0.001 to 1000000000"]),
        (&["plugin", "bench", "x.wasm", "--seconds", "1e30"], &["--seconds 1000000000000000000000000000000"]),
        (&["plugin", "explain", "shop.example/a"], &["\"shop.example/a\" does not begin with http:// or https://"]),
        (&["plugin", "new", "My Shop"], &["cannot name a plugin"]),
        (&["plugin", "build", "nowhere"], &["no plugin project in nowhere"]),
    ] {
        let said = refused(&[], args);
        for part in parts {
            assert!(said.contains(part), "{args:?}: {part:?} is not said: {said}");
        }
    }
}

#[test]
fn a_refused_crawl_leaves_its_files_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    std::fs::write(file("urls.txt"), "https://shop.example/1\n").unwrap();
    std::fs::write(file("unknown.toml"), "[session]\nchecker = \"nobody\"\n").unwrap();
    for args in [
        &["--stats", "urls.txt"][..],
        &["--output", "old", "--leftovers", "old"],
        &["--output", "old", "--stats", "no/such/dir"],
        &["--output", "old", "--config", "unknown.toml"],
    ] {
        std::fs::write(file("old"), "an answer of yesterday\n").unwrap();
        let mut crawl = command(dir.path());
        crawl.args(["crawl", "urls.txt", "--simulate"]).args(args);
        let ended = Running::start(crawl).end();
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        for (name, content) in [("old", "an answer of yesterday\n"), ("urls.txt", "https://shop.example/1\n")] {
            assert_eq!(std::fs::read_to_string(file(name)).unwrap(), content, "{args:?}");
        }
    }
}

#[test]
fn a_wrong_setting_is_told_with_file_line_and_the_right_key() {
    for (settings, parts) in [
        ("[session]\n\npool_sise = 3\n", &["mine.toml: line 3", "session.pool_sise", "did you mean \"session.pool_size\""][..]),
        ("[sesion]\npool_size = 3\n", &["mine.toml: line 1", "sesion", "did you mean \"session\""]),
        ("[crawl]\npool_size = 3\n", &["mine.toml: line 2", "crawl.pool_size", "did you mean \"session.pool_size\""]),
        ("[crawl]\nconcurrency = \"many\"\n", &["mine.toml: line 2", "crawl.concurrency", "expected a whole number"]),
        ("profile = \"scrapy\"\n", &["mine.toml: line 1", "profile", "scrapy-zyte-api"]),
        ("[session.pools.\"a.example\"]\ndelai = 1\n", &["mine.toml: line 2", "delai", "delay"]),
        ("[session\n", &["mine.toml: line 1"]),
        ("[[site]]\nname = \"a\"\n", &["mine.toml", "plugin"]),
        (
            "[api]\nretry_policy = \"sometimes\"\n",
            &["mine.toml: line 2", "api.retry_policy", "sometimes", "known here: default, "],
        ),
        ("[session]\nretry_policy = \"agressive\"\n", &["line 2", "session.retry_policy", "did you mean \"aggressive\"?"]),
        ("[session]\n\npool_size = 0\n", &["mine.toml: line 3: session.pool_size: 0", "use 1 or more"]),
        ("[session]\nmargin = 900\n", &["mine.toml: line 2: session.margin and session.max_age: 900 s is no less than 900 s"]),
        (
            "[[site]]\nname = \"a\"\nplugin = \"p\"\nconfig = \"/dev/zero\"\n",
            &["config of site \"a\"", "/dev/zero", "no regular file"],
        ),
        ("[session]\nchecker = \"nobody\"\n", &["mine.toml: line 2: session.checker", "no site \"nobody\"", "add a [[site]]"]),
    ] {
        let said = refused(&[("mine.toml", settings)], &["crawl", "-", "--simulate", "--config", "mine.toml"]);
        for part in parts {
            assert!(said.contains(part), "{settings:?}: {part:?} is not said: {said}");
        }
    }
}

#[test]
fn a_settings_file_that_never_ends_is_refused() {
    let said = refused(&[], &["crawl", "-", "--simulate", "--config", "/dev/zero"]);
    assert!(said.contains("cannot read the settings file /dev/zero: it is longer than"), "{said}");
}

#[test]
fn a_site_table_that_cannot_be_used_is_told_before_anything_is_sent() {
    for (table, parts) in [
        ("plugin = \"absent\"", &["[[site]] \"mine\"", "there is no plugin \"absent\"", "guest-good"][..]),
        ("plugin = \"guest-good\"\ninclude = [\"[a\"]", &["[[site]] \"mine\"", "[a", "brackets"]),
        ("plugin = \"broken\"", &["[[site]] \"mine\"", "its plugin \"broken\" is left out", "broken.wasm", "not WebAssembly"]),
        ("plugin = \"guest-good\"\nconfig = \"none.json\"", &["none.json"]),
    ] {
        let settings = format!("[[site]]\nname = \"mine\"\n{table}\n");
        let crawled = Crawl::simulated()
            .plugin("guest-good")
            .file("plugins/broken.wasm", "not a plugin")
            .settings(&settings)
            .run("https://shop.example/\n");
        crawled.exits(2).process.says(parts);
        assert!(crawled.lines.is_empty());
    }
}

#[test]
fn metadata_that_would_mean_nothing_costs_nothing_and_says_what_it_should_be() {
    let api = Api::start(|_| Reply::ok());
    let line = |meta: Value| json!({"url": "https://shop.example/", "browserHtml": true, "meta": meta}).to_string() + "\n";
    let crawl = || Crawl::through(&api).args(["--store-errors", "--annotate"]);
    let wrong = [
        json!({"zyte_api_session_enabled": "no"}),
        json!({"zyte_api_session_location": "10001"}),
        json!({"zyte_api_session_params": ["browserHtml"]}),
    ];
    let crawled = crawl().run(&wrong.map(line).concat());
    crawled.exits(1);
    for (number, key) in [(1, "meta.zyte_api_session_enabled"), (2, "meta.zyte_api_session_location"), (3, "expected an object")]
    {
        let error = &crawled.about(number)["error"];
        assert_eq!(error["kind"], "bad-request", "{error}");
        assert!(error["detail"].as_str().unwrap().contains(key), "{error}");
    }
    assert!(api.calls().is_empty());
    let misspelt = json!({"zyte_api_session_locaton": {"postalCode": "1"}, "mine": 1});
    let crawled = crawl().run(&(line(misspelt.clone()) + &line(misspelt)));
    crawled.exits(0);
    let said = "line 1: nothing reads meta.zyte_api_session_locaton; did you mean \"zyte_api_session_location\"?";
    assert_eq!(crawled.process.stderr.matches("nothing reads").count(), 1, "{}", crawled.process.stderr);
    // Log lines quote what comes from outside.
    assert!(crawled.process.stderr.replace('\\', "").contains(said), "{}", crawled.process.stderr);
}

/// The runtime would panic where it may not open the files that it needs itself.
#[cfg(unix)]
#[test]
fn too_few_open_files_are_an_error_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("urls.txt"), "https://shop.example/\n").unwrap();
    for files in [6, 7, 8] {
        for arguments in [&["crawl", "urls.txt", "--simulate"][..], &["simulate"], &["demo"]] {
            let mut command = carousel_in_shell(dir.path(), &format!("ulimit -n {files}"));
            command.args(arguments);
            let ended = Running::start(command).end();
            assert_eq!(ended.code, Some(2), "{files}: {}", ended.stderr);
            ended.says(&["ulimit -n"]);
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        }
    }
}
