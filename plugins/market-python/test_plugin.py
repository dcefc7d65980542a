import unittest

from carousel_guest import Error, testing
from plugin import Market

PAGE = "https://s001.market.example/p/7"
PLACE = {"postalCode": "10001"}


class MarketTest(unittest.TestCase):
    def test_a_session_begins_with_the_form_on_the_start_page_of_the_same_host(self):
        params = Market().params(testing.request(PAGE, location=PLACE))
        self.assertEqual(params["url"], "https://s001.market.example/")
        self.assertEqual([action["action"] for action in params["actions"]], ["waitForSelector", "type", "click", "waitForSelector"])
        self.assertEqual(params["actions"][1]["text"], "10001")

    def test_only_a_page_for_the_right_place_is_kept(self):
        for shown, refusal, init, kind, reason in [
            ("10001", None, False, "keep", ""),
            ("60601", None, False, "discard", "the page is for 60601"),
            (None, None, False, "discard", "the page is for nowhere"),
            (None, "we do not deliver there", True, "close-pool", "the market refuses 10001: we do not deliver there"),
            (None, "we do not deliver there", False, "discard", "the page is for nowhere"),
        ]:
            with self.subTest(shown=shown, refusal=refusal, init=init), testing.Host():
                page = testing.response(css={".zip::text": shown, ".error::text": refusal})
                verdict = Market().check(page, testing.request(PAGE, init=init, location=PLACE))
                self.assertEqual((verdict.kind, verdict.reason), (kind, reason))

    def test_a_location_without_zip_code_ends_its_pool_before_anything_is_sent(self):
        with self.assertRaises(Error) as raised:
            Market().params(testing.request(PAGE, location={"addressCountry": "US"}))
        self.assertEqual(raised.exception.kind, "close-pool")

    def test_without_a_location_the_host_does_as_usual(self):
        with testing.Host():
            request = testing.request(PAGE)
            self.assertEqual(Market().params(request), {"browserHtml": True})
            self.assertTrue(Market().check(testing.response(), request).is_keep)

    def test_the_host_is_told_only_the_hooks_that_there_are(self):
        self.assertEqual(Market.hooks(), ["params", "check"])


if __name__ == "__main__":
    unittest.main()
