//! Where the deeds are named. Most cannot be done in a test that is to go on.

use carousel_guest::{prelude::*, testing};

use crate::deed::Deed;

#[test]
fn the_url_or_the_config_names_the_deed() {
    let cases = [
        (json!(null), "https://a.example/check/loop", Some(Deed::Loop)),
        (json!(null), "https://a.example/check/allocate?x#y", Some(Deed::Allocate)),
        (json!(null), "https://a.example/process-request/loop", None),
        (json!({"check": "panic"}), "https://a.example/", Some(Deed::Panic)),
        (json!({"process-request": "panic"}), "https://a.example/", None),
    ];
    for (config, url, deed) in cases {
        let _host = testing::Host::new().config(config).start();
        assert_eq!(Deed::of("check", &testing::request(url).build()).unwrap(), deed, "{url}");
    }
    let unknown = testing::request("https://a.example/check/nothing").build();
    assert!(Deed::of("check", &unknown).is_err());
}

#[test]
fn a_hook_without_a_deed_behaves_well() {
    let request = testing::request("https://a.example/").build();
    let page = testing::response().build();
    assert!(crate::Misbehaving::check(&page, &request).unwrap().is_keep());
    assert_eq!(crate::Misbehaving::process_request(&request).unwrap(), Edit::none());
    let session = testing::session("p");
    assert_eq!(crate::Misbehaving::init_session(&session, &request).unwrap_err().kind(), "defer");
}

#[test]
#[should_panic(expected = "misbehaving on purpose")]
fn the_panic_has_a_message() {
    let _ = Deed::Panic.carry_out(&testing::request("https://a.example/").build(), None);
}
