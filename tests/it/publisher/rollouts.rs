//! Rollouts over time: stages, the clock they go by, and scheduled publication.

use crate::harness::{Actor, Vendor};

#[test]
fn a_release_that_is_scheduled_is_offered_from_its_time_on() {
    let vendor = Vendor::at("2030-03-01T08:00:00Z", &[]);
    let office = vendor.product();
    let customer = office.sell("single_user").customer;
    office.release("12.0.0").publish();
    office.release("13.0.0").published_at("2030-03-02T06:00:00Z").publish();
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some("12.0.0".to_owned()));
    vendor.travel_to("2030-03-02T05:59:30Z");
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some("12.0.0".to_owned()));
    vendor.travel_to("2030-03-02T06:00:00Z");
    assert_eq!(customer.offered("office-maker", "11.0.0"), Some("13.0.0".to_owned()));
}
