// The JavaScript SDK and its fake host, natively. Run by `tests/scenarios/languages.rs`.

import assert from "node:assert";
import test from "node:test";

import {
  config, defaults, download, DownloadError, HookError, log, resolveEdit, settings, shared, siteName, sitePlugin, Verdict,
} from "../js/index.js";
import { request, response, session, withHost } from "../js/testing.js";

const URL = "https://user@Shop.Example:8080/a";

test("every verdict and error has its word", () => {
  const verdicts = [Verdict.keep(), Verdict.discard("a"), Verdict.throttled(3), Verdict.reject("b"), Verdict.closePool("c"),
    Verdict.closeCrawl("d"), Verdict.keepIf(false)];
  const words = ["keep", "discard", "throttled", "reject", "close-pool", "close-crawl", "discard"];
  assert.deepEqual(verdicts.map((verdict) => verdict.kind), words);
  assert.equal(verdicts[2].delay, 3);
  const errors = [new HookError("a"), HookError.closePool("b"), HookError.closeCrawl("c"), HookError.defer(), new DownloadError("d")];
  assert.deepEqual(errors.map((error) => error.kind), ["error", "close-pool", "close-crawl", "defer", "download"]);
});

test("the hooks of a plugin are those that it has", () => {
  assert.deepEqual(sitePlugin({ pool: () => "a" }).hooks, ["pool"]);
  assert.deepEqual(sitePlugin({ locationCheck: () => true, processRequest: () => ({}) }).hooks, ["check", "processRequest"]);
  assert.deepEqual(sitePlugin({}).hooks, []);
  assert.throws(() => sitePlugin({ chek() {} }), /unknown key "chek"/);
  assert.throws(() => sitePlugin({ check() {}, locationCheck() {} }), /exclude each other/);
});

test("hooks for locations are asked only where there is one", () => {
  const plugin = sitePlugin({ locationCheck: (page, asked, location) => Verdict.discard(location.postalCode) });
  withHost({ verdict: Verdict.reject("usual") }, () => {
    for (const [location, kind] of [[{ postalCode: "1" }, "discard"], [undefined, "reject"]]) {
      assert.equal(plugin.check(response(), request(URL, { location })).kind, kind);
    }
  });
});

test("headers of an edit join those of the request", () => {
  const [accept, old, fresh] = [["Accept", "*/*"], ["x-a", "0"], ["X-A", "1"]].map(([name, value]) => ({ name, value }));
  const page = request(URL, { params: { customHttpRequestHeaders: [accept, old] } });
  const headers = { "X-A": "1" };
  assert.deepEqual(resolveEdit({ headers }, page).set, { customHttpRequestHeaders: [accept, fresh] });
  const bare = resolveEdit({ headers, remove: ["customHttpRequestHeaders", "a"] }, page);
  assert.deepEqual([bare.set, bare.remove], [{ customHttpRequestHeaders: [fresh] }, ["a"]]);
  assert.deepEqual(resolveEdit({ set: { a: 1 } }, page).set, { a: 1 });
});

test("a request and its session show their parts", () => {
  const visitor = session("pool");
  const asked = request(URL, { params: { a: [1] }, meta: { b: 2 }, init: true, session: visitor });
  assert.deepEqual([asked.host, asked.params, asked.param("a")], ["shop.example:8080", { url: URL, a: [1] }, [1]]);
  assert.deepEqual([asked.meta, asked.metaValue("b"), asked.isInit, asked.location], [{ b: 2 }, 2, true, undefined]);
  asked.session.set("token", { t: 1 });
  assert.deepEqual([visitor.get("token"), visitor.pool], [{ t: 1 }, "pool"]);
  visitor.set("token", undefined);
  assert.equal(visitor.get("token"), undefined);
});

test("a response shows its parts", () => {
  const answer = { product: { name: "tea" }, actions: [{ action: "click" }] };
  const page = response("<p>", { status: 404, headers: { "X-A": "1" }, answer, css: { p: ["a", "b"] }, jmespath: { x: 1 } });
  assert.deepEqual([page.status, page.text, page.body.length, page.header("x-a")], [404, "<p>", 3, "1"]);
  assert.deepEqual([page.field("/product/name"), page.field("/none/a"), page.actions], ["tea", undefined, answer.actions]);
  assert.deepEqual([page.css("p"), page.cssAll("p"), page.jmespath("x"), page.jmespath("y")], ["a", ["a", "b"], 1, undefined]);
  assert.throws(() => page.css("b"), /does not say what "b" finds/);
});

test("what xpath computes counts by its own truth", () => {
  const xpath = { "count(//p) > 3": false, "count(//p)": 3, "string(//i)": "", "number(//p)": NaN, "//p/@x": [""], "//i": undefined };
  const page = response("", { xpath, css: { p: "", i: [] }, jmespath: { a: [], b: 0, c: false } });
  const expressions = Object.keys(xpath);
  assert.deepEqual(expressions.map((expression) => page.xpath(expression)), [false, 3, "", undefined, "", undefined]);
  const exist = expressions.map((expression) => page.xpathExists(expression));
  assert.deepEqual(exist, [false, true, false, false, true, false]);
  assert.deepEqual([page.cssExists("p"), page.cssExists("i")], [true, false]);
  assert.deepEqual(["a", "b", "c", "d"].map((name) => page.jmespathExists(name)), [false, true, false, false]);
  assert.equal(Verdict.keepIf(page.xpath("count(//p) > 3")).kind, "discard");
});

test("the host of a test is asked and remembers", () => {
  const start = response("start");
  withHost({ config: { a: 1 }, settings: { pool_size: 3 }, siteName: "shop", downloads: () => start }, ({ downloaded, lines }) => {
    assert.deepEqual([config(), settings(), siteName()], [{ a: 1 }, { pool_size: 3 }, "shop"]);
    assert.equal(download({ url: URL }).text, "start");
    log("hello", "warn");
    assert.deepEqual([downloaded, lines], [[{ url: URL }], [["warn", "hello"]]]);
    assert.deepEqual([shared.increment("n", 2), shared.increment("n"), shared.get("n")], [2, 3, 3]);
    const asked = request(URL, { location: { postalCode: "1" } });
    assert.deepEqual(defaults.params(asked).actions[0].address, { postalCode: "1" });
    assert.deepEqual([defaults.pool(asked), defaults.enabled(asked)], ["shop.example:8080", true]);
  });
  withHost({}, () => assert.throws(() => download({ url: URL }), DownloadError));
});

test("without a host the error says how to start one", () => {
  assert.throws(() => config(), /withHost/);
});

test("a plugin with a mistake is refused with what to write instead", () => {
  const check = () => Verdict.keep();
  for (const [plugin, told] of [
    [{ chek: check }, /unknown key "chek"; did you mean "check"/],
    [{ process_request: check }, /did you mean "processRequest"/],
    [{ Include: ["shop.example"] }, /did you mean "include"/],
    [{ nonsense: 1 }, /known: include/],
    [{ check: async () => Verdict.keep() }, /check is async: hooks are ordinary functions/],
    [{ *params() {} }, /params is a generator/],
    [{ pool: "shop" }, /pool is "shop": a hook is a function/],
    [{ include: [1] }, /expected a list of URL patterns/],
    [{ exclude: { a: 1 } }, /expected a list of URL patterns/],
  ]) {
    assert.throws(() => sitePlugin(plugin), told);
  }
  const { include, exclude } = sitePlugin({ include: "shop.example", exclude: "shop.example/help" });
  assert.deepEqual([include, exclude], [["shop.example"], ["shop.example/help"]]);
});

test("what a hook returns is looked at as in a crawl", () => {
  const returning = (hook, value) => sitePlugin({ [hook]: () => value })[hook]();
  for (const [hook, value, told] of [
    ["check", undefined, /check returned undefined: return a Verdict, such as Verdict.keep/],
    ["check", "keep", /check returned "keep"/],
    ["check", Promise.resolve(), /check returned a promise/],
    ["enabled", undefined, /return true or false/],
    ["initSession", 1, /return true if the session is good/],
    ["pool", null, /return a name, or an object with id/],
    ["location", undefined, /or {} where there is none/],
    ["params", undefined, /return an object of API parameters/],
    ["processRequest", undefined, /{} changes nothing/],
    ["processRequest", { header: {} }, /an object with url, set, remove and headers/],
  ]) {
    assert.throws(() => returning(hook, value), told);
  }
  assert.equal(returning("check", false).kind, "discard");
  assert.deepEqual([returning("pool", "a"), returning("location", {}), returning("enabled", false)], ["a", {}, false]);
});
