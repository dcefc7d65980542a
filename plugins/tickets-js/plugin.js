// Tickets: a box office that answers only requests with the token of their visitor; the plugin `tickets` once more, in JavaScript.
//
// The start page sets a cookie and shows a token that belongs to it (`<meta name="csrf-token">`). Every other page wants that token
// in the header `X-CSRF-Token` and answers 403 without it. Only plain HTTP requests can carry headers of their own.
//
// * `params` initialises a session: fetch the start page.
// * `check` takes the token from the start page and keeps it in the session's data. On other pages a 403 means that the site no
//   longer knows the session.
// * `processRequest` puts the token of the session into the header of each request, just before it is sent.

import { HookError, sitePlugin, Verdict } from "./carousel-guest/index.js";

const TOKEN = "token";

const isHttp = (request) => request.param("httpResponseBody") === true;

function keepToken(response, request) {
  const token = response.css("meta[name=csrf-token]::attr(content)");
  if (token === undefined || !request.session) return Verdict.discard("no token on the start page");
  request.session.set(TOKEN, token);
  return Verdict.keep();
}

export default sitePlugin({
  include: ["tickets.example"],

  params(request) {
    return { httpResponseBody: true, url: `https://${request.host}/` };
  },

  check(response, request) {
    if (request.isInit) return keepToken(response, request);
    if (response.status !== 403) return Verdict.keep();
    if (isHttp(request)) return Verdict.discard("the site does not take the token");
    return Verdict.reject("the site wants a header: ask for httpResponseBody");
  },

  processRequest(request) {
    if (!request.session || !isHttp(request)) return {};
    const token = request.session.get(TOKEN);
    if (token === undefined) throw new HookError("the session has no token");
    return { headers: { "X-CSRF-Token": token } };
  },
});
