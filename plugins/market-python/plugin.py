"""Market: a shop that shows prices only to visitors who said where they live; the plugin `market` once more, in Python.

A visitor types a zip code into the form on the start page; from then on a cookie makes every page show that zip code and the prices
there.

* `location_params` initialises a session: open the start page in a browser, type the zip code, press "Save".
* `location_check` looks at every answer: the zip code that the page shows must be the one that the request asks for. A zip code that
  the shop refuses will be refused for ever: that ends its pool instead of opening session after session.
"""

from carousel_guest import Error, LocationSessionConfig, Verdict, site_plugin


@site_plugin(include=["market.example"])
class Market(LocationSessionConfig):
    def location_params(self, request, location):
        field = {"type": "css", "value": "#zip"}
        return {
            "browserHtml": True,
            "url": f"https://{request.host}/",
            "actions": [
                {"action": "waitForSelector", "selector": field},
                {"action": "type", "selector": field, "text": zip_of(location)},
                {"action": "click", "selector": {"type": "css", "value": "#save"}},
                {"action": "waitForSelector", "selector": {"type": "css", "value": ".price, .error"}},
            ],
        }

    def location_check(self, response, request, location):
        zip_code = zip_of(location)
        refusal = response.css(".error::text")
        if refusal and request.is_init:
            return Verdict.close_pool(f"the market refuses {zip_code}: {refusal}")
        shown = response.css(".zip::text")
        if shown == zip_code:
            return Verdict.keep()
        return Verdict.discard(f"the page is for {shown or 'nowhere'}")


def zip_of(location):
    if "postalCode" not in location:
        raise Error.close_pool("a market knows places by zip code: give the location a postalCode")
    return location["postalCode"]
