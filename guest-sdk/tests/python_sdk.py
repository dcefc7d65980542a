"""The Python SDK and its fake host, natively. Run by `tests/scenarios/languages.rs`."""

import unittest

from carousel_guest import (
    DownloadError, Edit, Error, LocationSessionConfig, SessionConfig, Verdict, config, default, download, log, settings, shared,
    site_name, site_plugin, testing,
)

URL = "https://user@Shop.Example:8080/a"


class SdkTest(unittest.TestCase):
    def test_every_verdict_and_error_has_its_word(self):
        kinds = [Verdict.keep(), Verdict.discard("a"), Verdict.throttled(3), Verdict.reject("b"), Verdict.close_pool("c"),
                 Verdict.close_crawl("d"), Verdict.keep_if(False)]
        self.assertEqual([verdict.kind for verdict in kinds],
                         ["keep", "discard", "throttled", "reject", "close-pool", "close-crawl", "discard"])
        self.assertEqual(kinds[2].delay, 3.0)
        errors = [Error("a"), Error.close_pool("b"), Error.close_crawl("c"), Error.defer(), DownloadError("d", 7)]
        self.assertEqual([error.kind for error in errors], ["error", "close-pool", "close-crawl", "defer", "download"])

    def test_the_hooks_of_a_class_are_those_that_it_overrides(self):
        class Plain(SessionConfig):
            def pool(self, request):
                return "a"

        class Placed(LocationSessionConfig):
            def location_check(self, response, request, location):
                return Verdict.keep()

            def process_request(self, request):
                return Edit()

        class Idle(LocationSessionConfig):
            pass

        hooks = [plugin.hooks() for plugin in (Plain, Placed, Idle)]
        self.assertEqual(hooks, [["pool"], ["check", "process_request"], []])

    def test_hooks_for_locations_are_asked_only_where_there_is_one(self):
        class Placed(LocationSessionConfig):
            def location_check(self, response, request, location):
                return Verdict.discard(location["postalCode"])

        with testing.Host(verdict=Verdict.reject("usual")):
            for location, kind in [({"postalCode": "1"}, "discard"), ({}, "reject"), (None, "reject")]:
                verdict = Placed().check(testing.response(), testing.request(URL, location=location))
                self.assertEqual(verdict.kind, kind)

    def test_headers_of_an_edit_join_those_of_the_request(self):
        old = [{"name": "Accept", "value": "*/*"}, {"name": "x-a", "value": "0"}]
        request = testing.request(URL, params={"customHttpRequestHeaders": old})
        new = {"name": "X-A", "value": "1"}
        self.assertEqual(Edit(headers={"X-A": "1"}).resolved(request), {"customHttpRequestHeaders": [old[0], new]})
        bare = Edit(headers={"X-A": "1"}, remove=["customHttpRequestHeaders"]).resolved(request)
        self.assertEqual(bare, {"customHttpRequestHeaders": [new]})
        self.assertEqual(Edit(set={"a": 1}).resolved(request), {"a": 1})

    def test_a_request_and_its_session_show_their_parts(self):
        session = testing.session("pool")
        request = testing.request(URL, params={"a": [1]}, meta={"b": 2}, init=True, session=session)
        self.assertEqual((request.host, request.params, request.param("a")), ("shop.example:8080", {"url": URL, "a": [1]}, [1]))
        self.assertEqual((request.meta, request.meta_value("b"), request.is_init, request.location), ({"b": 2}, 2, True, {}))
        with testing.Host():
            request.session.set("token", {"t": 1})
            self.assertEqual((session.get("token"), session.get("none", 5), session.pool), ({"t": 1}, 5, "pool"))
            session.set("token", None)
            self.assertIsNone(session.get("token"))

    def test_a_response_shows_its_parts(self):
        with testing.Host():
            page = testing.response("<p>", status=404, headers={"X-A": "1"}, actions=[{"action": "click"}],
                                    answer={"product": {"name": "tea"}}, css={"p": ["a", "b"]}, jmespath={"x": 1})
            self.assertEqual((page.status, page.text, page.body, page.header("x-a")), (404, "<p>", b"<p>", "1"))
            self.assertEqual((page.field("/product/name"), page.field("/none/a"), page.actions), ("tea", None, [{"action": "click"}]))
            self.assertEqual((page.css("p"), page.css_all("p"), page.jmespath("x"), page.jmespath("y")), ("a", ["a", "b"], 1, None))

    def test_what_xpath_computes_counts_by_its_own_truth(self):
        nan = float("nan")
        known = {"count(//p) > 3": False, "count(//p)": 3, "string(//i)": "", "number(//p)": nan, "//p/@x": [""], "//i": None}
        with testing.Host():
            page = testing.response(xpath=known, css={"p": "", "i": []}, jmespath={"a": [], "b": 0, "c": False})
            values = [page.xpath(expression) for expression in known]
            self.assertEqual(values, [False, 3, "", None, "", None])
            self.assertEqual([page.xpath_exists(expression) for expression in known], [False, True, False, False, True, False])
            self.assertEqual([page.css_exists("p"), page.css_exists("i")], [True, False])
            self.assertEqual([page.jmespath_exists(name) for name in "abcd"], [False, True, False, False])
            self.assertEqual(Verdict.keep_if(page.xpath("count(//p) > 3")).kind, "discard")

    def test_the_host_of_a_test_is_asked_and_remembers(self):
        answers = testing.response("start")
        with testing.Host(config={"a": 1}, settings={"pool_size": 3}, site_name="shop", downloads=lambda params: answers) as host:
            self.assertEqual((config(), settings(), site_name()), ({"a": 1}, {"pool_size": 3}, "shop"))
            self.assertEqual(download({"url": URL}).text, "start")
            log("hello", "warn")
            self.assertEqual((host.downloaded, host.log_lines), ([{"url": URL}], [("warn", "hello")]))
            self.assertEqual((shared.increment("n", 2), shared.increment("n"), shared.get("n")), (2, 3, 3))
            request = testing.request(URL, location={"postalCode": "1"})
            self.assertEqual(default.params(request)["actions"][0]["address"], {"postalCode": "1"})
            self.assertEqual((default.pool(request), default.enabled(request)), ("shop.example:8080", True))
        with testing.Host(), self.assertRaises(DownloadError):
            download({"url": URL})

    def test_without_a_host_the_error_says_how_to_start_one(self):
        with self.assertRaisesRegex(Error, "testing.Host"):
            config()

    def test_a_class_with_a_mistake_is_refused_with_what_to_write_instead(self):
        def chek(self, response, request):
            return Verdict.keep()

        def process_requests(self, request):
            return Edit()

        async def check(self, response, request):
            return Verdict.keep()

        def params(self, request):
            yield {}

        def short(self, response):
            return Verdict.keep()

        wrong = [
            ({"chek": chek}, "Shop.chek: there is no such hook; did you mean check?"),
            ({"processRequest": process_requests}, "did you mean process_request?"),
            ({"location_chek": chek}, "did you mean location_check?"),
            ({"check": check}, "async: hooks are ordinary methods, write def instead"),
            ({"params": params}, "generator: return the answer"),
            ({"check": short}, "write def check\\(self, response, request\\)"),
            ({"pool": "shop"}, "Shop.pool is 'shop': a hook is a method, def pool\\(self, request\\)"),
        ]
        for members, told in wrong:
            with self.assertRaisesRegex(TypeError, told):
                type("Shop", (LocationSessionConfig,), members)

    def test_helpers_may_be_named_like_hooks_where_they_are_used(self):
        class Shop(SessionConfig):
            def checks(self, response):
                return response.status == 200

            def check(self, response, request):
                return self.checks(response)

            def zip_of(self, request):
                return "10001"

        with testing.Host():
            self.assertTrue(Shop().check(testing.response(), testing.request(URL)).is_keep)

    def test_what_a_hook_returns_is_looked_at_as_in_a_crawl(self):
        def returning(hook, value):
            names = {"check": "response, request", "init_session": "session, request"}.get(hook, "request")
            scope = {"value": value}
            exec(f"def {hook}(self, {names}): return value", scope)
            shop = type("Shop", (SessionConfig,), {hook: scope[hook]})()
            return getattr(shop, hook)(*[None] * (names.count(",") + 1))

        wrong = [
            ("check", None, "check returned None .*: return a Verdict, such as Verdict.keep"),
            ("check", "keep", "check returned 'keep'"),
            ("enabled", None, "enabled returned None .*: return True or False"),
            ("cookie_mode", "no", "return True or False"),
            ("init_session", None, "return True if the session is good, or False"),
            ("pool", None, "return a name, or a dict with id"),
            ("pool", {"size": 1}, "return a name, or a dict with id"),
            ("location", None, "or {} where there is none"),
            ("params", None, "return a dict of API parameters"),
            ("params", {"at": {1}}, "cannot be written as JSON .*not JSON serializable"),
            ("params", {"at": float("nan")}, "cannot be written as JSON"),
            ("process_request", None, "return an Edit; Edit\\(\\) changes nothing"),
            ("process_request", Edit(set=[1]), "return an Edit"),
        ]
        for hook, value, told in wrong:
            with self.assertRaisesRegex(TypeError, told):
                returning(hook, value)
        right = [("check", Verdict.keep()), ("enabled", False), ("pool", "a"), ("pool", {"id": "a"}), ("location", {}),
                 ("params", {"browserHtml": True}), ("process_request", Edit()), ("init_session", True)]
        for hook, value in right:
            self.assertEqual(returning(hook, value), value)
        self.assertEqual(returning("check", False).kind, "discard")

    def test_one_pattern_by_itself_is_a_list_of_one(self):
        import carousel_guest

        class Shop(SessionConfig):
            pass

        site_plugin("shop.example", exclude="shop.example/help")(Shop)
        plugin = carousel_guest._plugins.pop()
        self.assertEqual((plugin.include, plugin.exclude), (["shop.example"], ["shop.example/help"]))
        for wrong in [{"include": [1]}, {"include": {"shop.example": 1}}, {"exclude": None}, {"priority": "high"}]:
            with self.assertRaisesRegex(TypeError, "site_plugin: .* expected"):
                site_plugin(**wrong)
        with self.assertRaisesRegex(TypeError, "with parentheses"):
            site_plugin(Shop)

    def test_only_a_session_config_can_be_a_plugin(self):
        with self.assertRaisesRegex(TypeError, "must be a SessionConfig"):
            site_plugin()(dict)


if __name__ == "__main__":
    unittest.main()
