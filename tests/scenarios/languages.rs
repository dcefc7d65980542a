//! Plugins in Python and JavaScript: the examples do what their namesakes in Rust do, and everything of the SDKs works.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use carousel_simulator::demo_requests;
use serde_json::{Value, json};

use crate::harness::api::{Api, Call, Kind};
use crate::harness::crawl::Crawl;
use crate::harness::plugins::{built, built_script};
use crate::harness::process::{Running, command};
use crate::harness::reply::{Reply, UNPROCESSABLE};
use crate::harness::root;
use crate::harness::skipped::skipped;
use crate::plugins::PATIENT;

/// Runs unit tests of scripts in a folder of the checkout; so many pass.
fn unit_tests(folder: &str, (program, args): (&str, &[&str]), passed: &str) {
    let mut tests = Command::new(program);
    tests.args(args).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", root().join("guest-sdk/python"));
    match tests.current_dir(root().join(folder)).output() {
        Err(error) => skipped(format_args!("{program} cannot be run: {error}")),
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
            assert!(output.status.success() && said.contains(passed), "{said}");
        }
    }
}

#[test]
fn the_examples_and_the_sdks_pass_their_own_tests_without_a_host() {
    unit_tests("plugins/market-python", ("python3", &["-m", "unittest"]), "Ran 5 tests");
    unit_tests("plugins/tickets-js", ("node", &["--test"]), "# pass 5");
    unit_tests("guest-sdk/tests", ("python3", &["python_sdk.py"]), "Ran 14 tests");
    unit_tests("guest-sdk/tests", ("node", &["--test"]), "# pass 11");
}

/// Crawls the demo's requests for one family of sites, one after the other, and gives the counters that do not tell who answered, with
/// the number of instances that were made.
fn counters(family: &str, component: &Path, instances: &str, hooks: &[&str]) -> (Value, u64) {
    let of_family = |request: &Value| request["url"].as_str().is_some_and(|url| url.contains(&format!(".{family}.example/")));
    let requests = demo_requests().map(Value::Object).filter(of_family).take(200);
    let lines: String = requests.map(|request| request.to_string() + "\n").collect();
    let plugin = component.file_stem().unwrap().to_str().unwrap();
    let settings = format!("{PATIENT}[[site]]\nname = \"{family}\"\nplugin = \"{plugin}\"\ninstances = \"{instances}\"\n");
    let crawled = Crawl::simulated().settings(&settings).component(component).args(["--n-conn", "1", "--seed", "7"]).run(&lines);
    crawled.exits(0);
    let mut stats = crawled.stats.clone();
    let sites = stats["sites"].as_object().unwrap();
    let site = sites.values().next().unwrap();
    let (made, asked) = (site["instances"].as_u64().unwrap(), &site["hooks"]);
    for hook in hooks {
        assert!(asked[hook]["calls"].as_u64() > Some(0) && asked[hook]["failures"] == 0 && asked[hook]["traps"] == 0, "{asked}");
    }
    let members = stats.as_object_mut().unwrap();
    members.remove("sites");
    members.remove("seconds");
    (stats, made)
}

/// A plugin in another language does what its namesake in Rust does, with an instance for each step or one for all.
fn does_the_same(family: &str, component: &Path, hooks: &[&str]) {
    let (expected, steps) = counters(family, &built(family), "fresh", hooks);
    let (fresh, made) = counters(family, component, "fresh", hooks);
    assert_eq!((fresh, made), (expected.clone(), steps));
    let (reused, made) = counters(family, component, "reuse", hooks);
    assert_eq!(reused, expected);
    assert!(made < steps / 2, "{made} instances for {steps} steps");
}

#[test]
fn the_market_in_python_ends_with_the_counters_of_the_market_in_rust() {
    let Some(component) = built_script("plugins/market-python") else { return };
    does_the_same("market", &component, &["params", "check"]);
}

#[test]
fn the_box_office_in_javascript_ends_with_the_counters_of_the_one_in_rust() {
    let Some(component) = built_script("plugins/tickets-js") else { return };
    does_the_same("tickets", &component, &["params", "check", "process-request"]);
}

/// What the probes do at each of their sites.
const TASKS: [&str; 5] = ["surface", "raise", "selector", "close-pool", "pass-on"];

fn answer(call: &Call) -> Reply {
    if call.url().contains("/fail") {
        return UNPROCESSABLE;
    }
    let headers = json!([{"name": "X-Shop", "value": "open"}]);
    let members = json!({"extra": {"a": [1]}, "httpResponseHeaders": headers});
    Reply::Page { html: "<p class=ok title=''>fine</p><p class=ok>too</p>".to_owned(), members }
}

fn table(plugin: &str, task: &str) -> String {
    let name = format!("{task}.example");
    format!("[[site]]\nname = \"{task}\"\nplugin = \"{plugin}\"\ninclude = [\"{name}\"]\nconfig = {{ task = \"{task}\" }}\n")
}

/// What a probe must have seen, whatever its language.
fn seen() -> Value {
    let location = json!({"postalCode": "10001", "addressCountry": "US"});
    json!({
        "site": "surface", "url": "https://surface.example/a?edited", "host": "surface.example", "init": false, "location": location,
        "params": ["browserHtml", "customHttpRequestHeaders", "echoData", "session", "tags", "url"], "param": true, "no param": null, "meta": {"name": "ann"},
        "pool": "surface-10001;geolocation=US", "id": 36,
        "started": {"status": 200, "found": ["fine", "too"]}, "failed": ["api", 422, "/request/unprocessable"],
        "page": ["https://surface.example/a?edited", 200, "<p class=ok title=''>fine</p><p class=ok>too</p>", 48],
        "header": "open", "headers": 1, "actions": [], "field": [1], "no field": null,
        "css": "fine", "no css": null, "xpath": ["fine", ["fine", "too"]], "jmespath": null,
        "computed": [true, false, 2, 0, "fine", "", null, "", null],
        "truths": [true, false, true, false, true, false, false, true, false], "exist": [true, false, false],
        "shared": [2, 2, null, [1]], "size": 8, "usual": "keep",
        "usual params": {"actions": [{"action": "setLocation", "address": location}], "browserHtml": true},
        "usual pool": "surface.example@addressCountry=US,postalCode=10001",
    })
}

fn the_probe_works(path: &str, error: &str) {
    let Some(component) = built_script(path) else { return };
    let plugin = component.file_stem().unwrap().to_str().unwrap();
    let api = Api::start(answer);
    let meta = json!({"user": {"name": "ann"}, "zyte_api_session_location": {"postalCode": "10001"}});
    let line = |task: &str| {
        json!({"url": format!("https://{task}.example/a"), "browserHtml": true, "geolocation": "US", "meta": meta}).to_string()
            + "\n"
    };
    let settings: String = TASKS.iter().map(|task| table(plugin, task)).collect();
    let settings = format!("{PATIENT}[session]\nmax_bad_inits = 1\ncool_down = 3600\n{settings}");
    let crawl = Crawl::through(&api).settings(&settings).component(&component);
    let crawled = crawl.args(["--n-conn", "1", "--store-errors"]).run(&TASKS.map(line).concat());
    crawled.exits(1).process.says(&[error, "p[", "had enough"]);

    let said = crawled.process.stderr.lines().find_map(|line| line.split_once("SURFACE ")).expect("the surface is seen").1;
    let json_end = said.rfind('}').unwrap();
    let found: Value = serde_json::from_str(&said[..=json_end]).unwrap();
    assert_eq!(found, seen());
    let page = api.calls_of(Kind::Use).into_iter().find(|call| call.url().contains("surface")).unwrap().body;
    assert_eq!(page["url"], "https://surface.example/a?edited");
    assert_eq!(page["customHttpRequestHeaders"], json!([{"name": "X-Probe", "value": "200"}]));
    assert_eq!((page.get("geolocation"), &page["tags"]["probe"]), (None, &json!("edit")));
}

#[test]
fn everything_of_the_python_sdk_works_in_a_component() {
    the_probe_works("tests/guests/probe-python", "ValueError: boom (plugin.py:");
}

#[test]
fn everything_of_the_javascript_sdk_works_in_a_component() {
    the_probe_works("tests/guests/probe-js", "TypeError: boom");
}

/// A request with the location that the probes' pools are named after.
fn placed(url: &str) -> String {
    let meta = json!({"zyte_api_session_location": {"postalCode": "10001"}});
    json!({"url": url, "browserHtml": true, "meta": meta}).to_string() + "\n"
}

/// What a probe prints stands in the log, and its clock and chance are real: no two instances draw the same.
fn what_is_put_out_is_logged(path: &str, lines: &[&str]) {
    let Some(component) = built_script(path) else { return };
    let plugin = component.file_stem().unwrap().to_str().unwrap();
    let api = Api::start(answer);
    let settings = format!("{PATIENT}{}", table(plugin, "output"));
    let crawl = Crawl::through(&api).settings(&settings).component(&component).args(["--n-conn", "1"]);
    let crawled = crawl.run(&(placed("https://output.example/a") + &placed("https://output.example/b")));
    crawled.exits(0).process.says(lines);
    let said = &crawled.process.stderr;
    let told: Vec<&str> = said.lines().filter(|line| line.contains("CHANCE")).collect();
    assert_eq!(told.len(), 3, "an initialisation and two pages: {said}");
    let mut drawn = BTreeSet::new();
    for line in told {
        let line = line.replace('\\', "");
        let (from, to) = (line.find("CHANCE").unwrap() + 7, line.rfind(']').unwrap());
        let found: Value = serde_json::from_str(&line[from..=to]).unwrap_or_else(|error| panic!("{error}: {line}"));
        drawn.extend([found[0].to_string(), found[1].to_string()]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        for clock in [&found[2][0], &found[2][1]] {
            assert!((now - clock.as_f64().unwrap()).abs() < 3600.0, "{line}");
        }
        assert!(found[2][2].as_f64().unwrap() >= 0.0, "{line}");
    }
    assert_eq!(drawn.len(), 6, "{drawn:?}");
}

#[test]
fn what_a_python_plugin_prints_is_logged_and_it_has_clock_and_chance() {
    let lines =
        ["printed with commas", "to standard error", "logged as a warning", "logged quietly", "UserWarning: warned", "NO FILE"];
    what_is_put_out_is_logged("tests/guests/probe-python", &lines);
}

#[test]
fn what_a_javascript_plugin_prints_is_logged_and_it_has_clock_and_chance() {
    let lines = ["printed with commas", "to standard error", "logged as a warning"];
    what_is_put_out_is_logged("tests/guests/probe-js", &lines);
}

#[test]
fn a_hook_that_returns_nothing_is_told_what_to_return() {
    for path in ["tests/guests/probe-python", "tests/guests/probe-js"] {
        let Some(component) = built_script(path) else { continue };
        let plugin = component.file_stem().unwrap().to_str().unwrap();
        let api = Api::start(answer);
        let settings = format!("{PATIENT}[session]\nmax_bad_inits = 1\n{}", table(plugin, "nothing"));
        let crawl = Crawl::through(&api).settings(&settings).component(&component);
        let crawled = crawl.run(&placed("https://nothing.example/a"));
        crawled.exits(1).process.says(&["check returned", "return a Verdict, such as Verdict.keep()"]);
    }
}

#[test]
fn a_script_plugin_refuses_a_config_in_its_own_words() {
    for path in ["tests/guests/probe-python", "tests/guests/probe-js"] {
        let Some(component) = built_script(path) else { continue };
        let plugin = component.file_stem().unwrap().to_str().unwrap();
        let settings = format!("{PATIENT}{}", table(plugin, "refuse"));
        let crawled = Crawl::simulated().settings(&settings).component(&component).run("https://refuse.example/\n");
        crawled
            .exits(2)
            .process
            .says(&["[[site]] \"refuse\" is left out: its plugin refuses the config: the probe is to refuse"]);
    }
}

#[test]
fn a_machine_without_the_language_is_told_what_is_missing() {
    for (path, compiler, needs) in [
        ("plugins/market-python", "componentize-py", "Python 3.10 or later with pip and venv"),
        ("plugins/tickets-js", "componentize-js", "Node.js 20 or later with npm"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(dir.path());
        command.args(["plugin", "build"]).arg(root().join(path)).args(["--out", "built"]);
        let ended = Running::start({
            command.env("PATH", dir.path()).env("XDG_CACHE_HOME", dir.path());
            command
        })
        .end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.says(&[&format!("installing {compiler} "), &format!("{compiler} "), " cannot be installed; it needs ", needs]);
    }
}

#[test]
fn a_script_that_cannot_be_a_plugin_is_not_built_and_the_reason_is_told() {
    let Some(_) = built_script("plugins/market-python") else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pyproject.toml"), "[project]\nname = \"none\"\nversion = \"1\"\n").unwrap();
    let misspelt = "@site_plugin(\"shop.example\")\nclass Shop(SessionConfig):\n    def chek(self, response, request):\n        return True\n";
    for (code, told) in [
        ("", "plugin.py must have one class with @site_plugin, it has 0"),
        (misspelt, "Shop.chek: there is no such hook; did you mean check?"),
    ] {
        let code = format!("from carousel_guest import SessionConfig, site_plugin\n\n\n{code}");
        std::fs::write(dir.path().join("plugin.py"), code).unwrap();
        let mut command = command(dir.path());
        command.args(["plugin", "build", ".", "--out", "built"]);
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.says(&[told]);
    }
}
