import assert from "node:assert";
import test from "node:test";

import { resolveEdit } from "./carousel-guest/index.js";
import { request, response, session, withHost } from "./carousel-guest/testing.js";
import plugin from "./plugin.js";

const PAGE = "https://s001.tickets.example/p/7";
const META = "meta[name=csrf-token]::attr(content)";
const HTTP = { httpResponseBody: true };

const start = (token) => response("", { css: { [META]: token } });

test("a session begins at the start page of the same host", () => {
  assert.deepEqual(plugin.params(request(PAGE)), { httpResponseBody: true, url: "https://s001.tickets.example/" });
});

test("the token of the start page goes out with every HTTP request", () => {
  const visitor = session("tickets");
  withHost({}, () => {
    assert.ok(plugin.check(start("t0k"), request(PAGE, { params: HTTP, init: true, session: visitor })).isKeep);
    const accept = { name: "Accept", value: "*/*" };
    const page = request(PAGE, { params: { ...HTTP, customHttpRequestHeaders: [accept] }, session: visitor });
    const { set } = resolveEdit(plugin.processRequest(page), page);
    assert.deepEqual(set, { customHttpRequestHeaders: [accept, { name: "X-CSRF-Token", value: "t0k" }] });
    const browser = request(PAGE, { params: { browserHtml: true }, session: visitor });
    assert.deepEqual(plugin.processRequest(browser), {}, "a browser takes no headers");
  });
});

test("a start page without token gives no session", () => {
  withHost({}, () => {
    const visitor = session("tickets");
    const verdict = plugin.check(start(undefined), request(PAGE, { init: true, session: visitor }));
    assert.equal(verdict.reason, "no token on the start page");
    assert.throws(() => plugin.processRequest(request(PAGE, { params: HTTP, session: visitor })), /no token/);
  });
});

test("a refused page costs the session unless no session could have got it", () => {
  for (const [status, params, kind] of [[200, HTTP, "keep"], [404, HTTP, "keep"], [403, HTTP, "discard"], [403, {}, "reject"]]) {
    assert.equal(plugin.check(response("", { status }), request(PAGE, { params })).kind, kind, String(status));
  }
});

test("the host is told only the hooks that there are", () => {
  assert.deepEqual(plugin.hooks, ["params", "check", "processRequest"]);
});
