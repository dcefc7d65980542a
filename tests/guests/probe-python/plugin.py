"""A guest that uses everything of the SDK, and fails in the ways that its site's config asks for."""

import datetime
import json
import logging
import random
import sys
import time
import uuid
import warnings

from carousel_guest import (
    DownloadError, Edit, Error, SessionConfig, Verdict, config, default, download, log, settings, shared, site_name, site_plugin,
)


TRUTHS = ["count(//p) > 1", "count(//p) > 2", "count(//p)", "count(//i)", "string(//p)", "string(//i)", "number(//p)", "//p/@title", "//i"]


@site_plugin()
class Probe(SessionConfig):
    def configure(self):
        if config()["task"] == "refuse":
            raise Error("the probe is to refuse")

    def enabled(self, request):
        return default.enabled(request)

    def cookie_mode(self, request):
        return default.cookie_mode(request)

    def location(self, request):
        return {**default.location(request), "addressCountry": "US"}

    def pool(self, request):
        return {"id": f"{site_name()}-{request.location['postalCode']}", "size": 2}

    def params(self, request):
        return {**default.params(request), "tags": {"probe": "params"}}

    def init_session(self, session, request):
        if config()["task"] == "pass-on":
            download({"url": f"https://{request.host}/fail", "browserHtml": True})
        if config()["task"] != "surface":
            raise Error.defer()
        page = download({"url": f"https://{request.host}/start", "browserHtml": True})
        try:
            download({"url": f"https://{request.host}/fail", "browserHtml": True})
        except DownloadError as error:
            session.set("failed", [error.reason, error.status, error.problem_type])
        session.set("started", {"status": page.status, "found": page.css_all(".ok::text")})
        return True

    def process_request(self, request):
        if config()["task"] != "surface":
            return Edit()
        headers = {"X-Probe": str(request.session.get("started")["status"])}
        return Edit(url=f"{request.url}?edited", set={"tags": {"probe": "edit"}}, remove=["geolocation"], headers=headers)

    def check(self, response, request):
        task = config()["task"]
        if task == "raise":
            raise ValueError("boom")
        if task == "selector":
            response.css("p[")
        if task == "close-pool":
            raise Error.close_pool("had enough")
        if task == "output":
            put_out()
        if task == "nothing":
            return None
        if task == "surface":
            log("SURFACE " + json.dumps(surface(response, request)))
        return Verdict.keep()


def put_out():
    print("printed", "with commas", end="")
    print()
    sys.stderr.write("to standard error\n")
    logging.warning("logged %s", "as a warning")
    logging.getLogger("part").info("logged quietly")
    warnings.warn("warned")
    now = [time.time(), datetime.datetime.now(datetime.timezone.utc).timestamp(), time.monotonic()]
    try:
        open("/etc/hostname")
    except OSError as error:
        print("NO FILE", type(error).__name__)
    print("CHANCE", json.dumps([str(uuid.uuid4()), random.random(), now]))


def surface(response, request):
    session = request.session
    return {
        "site": site_name(),
        "url": request.url,
        "host": request.host,
        "init": request.is_init,
        "location": request.location,
        "params": sorted(request.params),
        "param": request.param("browserHtml"),
        "no param": request.param("none"),
        "meta": request.meta_value("user"),
        "pool": session.pool,
        "id": len(session.id),
        "started": session.get("started"),
        "failed": session.get("failed"),
        "page": [response.url, response.status, response.text, len(response.body)],
        "header": response.header("x-shop"),
        "headers": len(response.headers),
        "actions": response.actions,
        "field": response.field("/extra/a"),
        "no field": response.field("/extra/b"),
        "css": response.css(".ok::text"),
        "no css": response.css(".no"),
        "xpath": [response.xpath("//p/text()"), response.xpath_all("//p/text()")],
        "computed": [response.xpath(expression) for expression in TRUTHS],
        "truths": [response.xpath_exists(expression) for expression in TRUTHS],
        "exist": [response.css_exists(".ok"), response.css_exists(".no"), response.jmespath_exists("a")],
        "jmespath": response.jmespath("a"),
        "shared": [shared.increment("n", 2), shared.get("n"), shared.set("m", [1]), shared.get("m")],
        "size": settings()["pool_size"],
        "usual": default.check(response, request).kind,
        "usual params": default.params(request),
        "usual pool": default.pool(request),
    }
