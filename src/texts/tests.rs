//! The catalogue is whole, in every language.

use super::*;

const VALUES: Values<'static> = Values {
    product: "«product»",
    version: "«version»",
    newer: "«newer»",
    server_version: "«server»",
    reason: "«reason»",
    date: Some(civil::date(2026, 6, 30)),
    time: Some(Timestamp::constant(1_782_864_000, 0)),
    zone: None,
};

fn tag(text: &str) -> LanguageTag {
    text.parse().expect("a tag")
}

fn in_language(language: &str, text: Text, values: &Values<'_>) -> Arc<str> {
    render(&Wishes::one(tag(language)), &tag("en"), text, values)
}

#[test]
fn every_text_exists_in_every_language_and_uses_the_same_values() {
    for text in Text::ALL {
        let used = |language| {
            let rendered = in_language(language, *text, &VALUES);
            assert!(rendered.chars().count() > 15, "{language} has no {text:?}: {rendered}");
            assert!(!rendered.contains(['{', '}', '\u{2068}', '\u{2069}', '$']), "{language} {text:?}: {rendered}");
            assert!(rendered.ends_with(['.', '»']) && !rendered.contains("  "), "{language} {text:?}: {rendered}");
            ["«product»", "«version»", "«newer»", "«server»", "«reason»", "2026", "UTC"]
                .map(|value| rendered.contains(value))
        };
        let english = used("en");
        for language in LANGUAGES {
            assert_eq!(used(language), english, "{language} {text:?} uses other values than English");
        }
    }
    // A message that a language lacks would be taken from English.
    for (text, language) in Text::ALL.iter().flat_map(|text| ["it", "fr", "de"].map(|language| (*text, language))) {
        assert_ne!(
            in_language(language, text, &VALUES),
            in_language("en", text, &VALUES),
            "{language} {text:?} is English"
        );
    }
}

#[test]
fn a_text_is_given_what_it_uses_and_nothing_else() {
    for (text, language) in Text::ALL.iter().flat_map(|text| LANGUAGES.map(|language| (*text, language))) {
        let values = text.uses(&VALUES);
        assert_eq!(write(language, text, &values), write(language, text, &VALUES), "{language} {text:?}");
        let rendered = write(language, text, &values);
        let words = [values.product, values.version, values.newer, values.server_version, values.reason];
        let days = [values.date.map(|_| "2026"), values.time.map(|_| "UTC")];
        for value in words.into_iter().chain(days.into_iter().flatten()) {
            assert!(rendered.contains(value), "{language} {text:?} does not use {value}");
        }
    }
}

#[test]
fn the_catalogue_has_no_text_that_nobody_asks_for() {
    for language in LANGUAGES {
        let file = std::fs::read_to_string(format!("locales/{language}/messages.ftl")).expect("a catalogue");
        let ids = file.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        for id in ids.filter_map(|line| line.split(" =").next()).filter(|id| *id != "articolo") {
            assert!(Text::ALL.iter().any(|text| text.id() == id), "{language}: {id} is not used");
        }
    }
}

#[test]
fn a_region_falls_back_to_language_then_default_then_english() {
    let spoken = |wish: &str, default: &str| language(&Wishes::one(tag(wish)), &tag(default));
    assert_eq!(spoken("fr-CH", "de"), "fr");
    assert_eq!(spoken("pt", "de-AT"), "de");
    assert_eq!(spoken("pt", "pl"), "en");
    assert_eq!(language(&Wishes::default(), &tag("it")), "it");
    let wishes = Wishes::from_accept_language("pt;q=0.9, de;q=0.4, fr;q=0.5");
    assert_eq!(&*render(&wishes, &tag("en"), Text::UpToDate, &VALUES), "«product» est à jour.");
}

#[test]
fn dates_are_written_as_the_language_writes_them() {
    let expired = |language: &str, date| {
        let values = Values { product: "Office Maker", newer: "13.0.0", date: Some(date), ..Values::default() };
        in_language(language, Text::NotEntitledExpired, &values).to_string()
    };
    let june = civil::date(2026, 6, 30);
    assert!(expired("en", june).contains("ended on 30 June 2026."));
    assert!(expired("it", june).contains("scaduto il 30 giugno 2026."));
    assert!(expired("fr", june).contains("a expiré le 30 juin 2026."));
    assert!(expired("de", june).contains("ist am 30. Juni 2026 abgelaufen."));
    assert!(expired("it", civil::date(2026, 8, 1)).contains("scaduto il 1º agosto 2026."));
    assert!(expired("it", civil::date(2026, 12, 8)).contains("scaduto l'8 dicembre 2026."));
    assert!(expired("it", civil::date(2026, 3, 11)).contains("scaduto l'11 marzo 2026."));
    assert!(expired("fr", civil::date(2026, 8, 1)).contains("le 1er août 2026."));
    for (language, month) in LANGUAGES.into_iter().flat_map(|language| (1..=12).map(move |month| (language, month))) {
        assert!(expired(language, civil::date(2026, month, 5)).contains('5'), "{language} has no month {month}");
        assert_ne!(
            look_up(language, &format!("month-{month}"), &Arguments::new()),
            "",
            "{language} has no month {month}"
        );
    }
}

#[test]
fn the_window_opens_by_the_clock_of_the_group() {
    let rome = TimeZone::get("Europe/Rome").expect("a zone");
    let time = Some("2026-06-30T23:00:00Z".parse().expect("a time"));
    let opens = |language: &str, zone| {
        let values = Values { product: "Office Maker", time, zone, ..Values::default() };
        in_language(language, Text::DeferredOutsideWindow, &values).to_string()
    };
    assert!(opens("en", Some(&rome)).ends_with(", from 1 July 2026 at 01:00."));
    assert!(opens("it", Some(&rome)).ends_with(", il 1º luglio 2026 alle 01:00."));
    assert!(opens("fr", Some(&rome)).ends_with(", à partir du 1er juillet 2026 à 01 h 00."));
    assert!(opens("de", Some(&rome)).ends_with(", ab dem 1. Juli 2026 um 01:00 Uhr."));
    assert!(opens("de", None).ends_with(", ab dem 30. Juni 2026 um 23:00 Uhr UTC."));
}

#[test]
fn a_repeated_message_is_not_written_again() {
    let render = |version| {
        let values = Values { product: "Office Maker", version, ..Values::default() };
        render(&Wishes::one(tag("de-AT")), &tag("en"), Text::UpdateAvailable, &values)
    };
    let first = render("13.0.0");
    assert!(Arc::ptr_eq(&first, &render("13.0.0")));
    assert!(!Arc::ptr_eq(&first, &render("13.0.1")));
}
