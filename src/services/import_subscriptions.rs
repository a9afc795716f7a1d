//! A whole customer base at once, from CSV: all of it or nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::civil::Date;
use serde::Deserialize;

use super::{
    Context, Faults, Reach, Refusal, Write, manage_customers,
    manage_customers::NewCustomer,
    manage_subscriptions::{self, Ids, NewSubscription},
};
use crate::{
    domain::{
        id::{CustomerId, SubscriptionId},
        locale::LanguageTag,
        slug::Slug,
        subscription::Deployment,
        version::Requirement,
    },
    signing::KeyRing,
    store,
};

/// Wrong lines that are named in one answer.
const SHOWN: usize = 100;

/// The columns that must be there. That of `ends_on` too, as a subscription without an end must be meant.
const REQUIRED: [&str; 5] = ["customer", "product", "deployment", "starts_on", "ends_on"];

/// The columns that may be there.
const OPTIONAL: [&str; 9] = [
    "customer_name",
    "customer_email",
    "customer_locale",
    "grace_days",
    "channels",
    "version_req",
    "hosting_group",
    "external_ref",
    "license_key",
];

/// Checks the header line.
fn check_header(header: &csv::StringRecord) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    let mut known = HashSet::new();
    for column in header {
        let shown: String = column.chars().take(100).collect();
        if !REQUIRED.contains(&column) && !OPTIONAL.contains(&column) {
            let all = [&REQUIRED[..], &OPTIONAL[..]].concat().join(", ");
            faults.add("line 1", format!("there is no column `{shown}`; there is {all}"));
        } else if !known.insert(column) {
            faults.add("line 1", format!("the column `{shown}` is there twice"));
        }
    }
    for column in REQUIRED.iter().filter(|column| !known.contains(**column)) {
        faults.add("line 1", format!("the column `{column}` is missing"));
    }
    faults.finish()
}

/// One line of the file. Lines with the same `customer` are of one customer, who is made where there is none with that
/// `external_ref`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    customer: String,
    customer_name: Option<String>,
    customer_email: Option<String>,
    customer_locale: Option<LanguageTag>,
    product: Slug,
    deployment: Deployment,
    starts_on: Date,
    ends_on: Option<Date>,
    #[serde(default)]
    grace_days: Option<u16>,
    /// Separated by spaces.
    #[serde(default)]
    channels: Option<String>,
    #[serde(default)]
    version_req: Option<Requirement>,
    #[serde(default)]
    hosting_group: Option<Slug>,
    #[serde(default)]
    external_ref: Option<String>,
    #[serde(default)]
    license_key: Option<String>,
}

/// A line that was imported.
#[derive(Clone)]
pub struct Imported {
    /// Which line of the file.
    pub line: u64,
    /// The subscription it became.
    pub subscription: SubscriptionId,
    /// Its license key in clear, this once; `None` where the file brought it.
    pub license_key: Option<String>,
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Imported")
            .field("line", &self.line)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// Imports a CSV file (RFC 4180, UTF-8, with a header line).
///
/// # Errors
/// `body_invalid` naming the lines and columns that are wrong; nothing is imported then.
pub async fn import(context: &Arc<Context>, reach: Reach, file: bytes::Bytes) -> Result<Vec<Imported>, Refusal> {
    let keys = Arc::clone(context);
    context
        .write(move |write| {
            let mut importer = Importer {
                keys: &keys.keys,
                reach,
                customers: HashMap::new(),
                imported: Vec::new(),
                faults: Vec::new(),
            };
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file.as_ref());
            let header = reader.headers().map_err(|error| Refusal::field("line 1", error.to_string()))?.clone();
            check_header(&header)?;
            let mut record = csv::StringRecord::new();
            loop {
                let line = reader.position().line();
                match reader.read_record(&mut record) {
                    Ok(true) => {
                        importer.take(write, record.position().map_or(line, csv::Position::line), &record, &header)?;
                    }
                    Ok(false) => break,
                    Err(error) => importer.fault(line, "", &error.to_string()),
                }
                if importer.faults.len() >= SHOWN {
                    break;
                }
            }
            if importer.faults.is_empty() {
                return Ok(importer.imported);
            }
            let mut faults = Faults::default();
            for (field, message) in importer.faults {
                faults.add(&field, message);
            }
            Err(faults.finish().err().unwrap_or_else(|| Refusal::internal(&"faults without a fault")))
        })
        .await
}

struct Importer<'k> {
    keys: &'k KeyRing,
    reach: Reach,
    customers: HashMap<String, CustomerId>,
    imported: Vec<Imported>,
    faults: Vec<(String, String)>,
}

impl Importer<'_> {
    fn fault(&mut self, line: u64, column: &str, message: &str) {
        let field = if column.is_empty() { format!("line {line}") } else { format!("line {line}, {column}") };
        self.faults.push((field, message.to_owned()));
    }

    /// Takes in a line; what is wrong with it is noted, what is wrong with the database ends the import.
    fn take(
        &mut self,
        write: &mut Write<'_>,
        line: u64,
        record: &csv::StringRecord,
        header: &csv::StringRecord,
    ) -> Result<(), Refusal> {
        let row: Line = match record.deserialize(Some(header)) {
            Ok(row) => row,
            Err(error) => {
                let (column, message) = explain(&error, header);
                self.fault(line, &column, &message);
                return Ok(());
            }
        };
        match self.add(write, row) {
            Ok((subscription, license_key)) => self.imported.push(Imported { line, subscription, license_key }),
            Err(refusal) if refusal.faults.is_empty() && refusal.code != super::Code::LicenseKeyExists => {
                return Err(refusal);
            }
            Err(refusal) if refusal.faults.is_empty() => self.fault(line, "license_key", &refusal.detail),
            Err(refusal) => refusal.faults.iter().for_each(|fault| self.fault(line, &fault.field, &fault.message)),
        }
        Ok(())
    }

    fn add(&mut self, write: &mut Write<'_>, row: Line) -> Result<(SubscriptionId, Option<String>), Refusal> {
        let customer_id = self.customer(write, &row)?;
        let brought = row.license_key.is_some();
        let channels = row.channels.map(|names| {
            let names = names.split_whitespace().map(str::parse).collect::<Result<Vec<Slug>, _>>();
            names.map_err(|error| Refusal::field("channels", error.to_string()))
        });
        let new = NewSubscription {
            customer_id,
            product: row.product,
            deployment: row.deployment,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            grace_days: row.grace_days.unwrap_or(0),
            channels: channels.transpose()?,
            version_req: row.version_req,
            hosting_group: row.hosting_group,
            external_ref: row.external_ref,
            license_key: row.license_key,
        };
        let ids = Ids { subscription: write.new_id(), license_key: write.new_id() };
        let (subscription, issued) = manage_subscriptions::add_within(write, self.keys, self.reach, ids, new)?;
        Ok((subscription.coverage.id, (!brought).then_some(issued.license_key)))
    }

    /// The customer of a line: one met before, one there already, or a new one.
    fn customer(&mut self, write: &mut Write<'_>, row: &Line) -> Result<CustomerId, Refusal> {
        if let Some(known) = self.customers.get(&row.customer) {
            return Ok(*known);
        }
        let id = if let Some(known) = store::customers::by_external_ref(write.connection, &row.customer)? {
            known.id
        } else {
            let id = write.new_id();
            let new = NewCustomer {
                name: row.customer_name.clone().unwrap_or_else(|| row.customer.clone()),
                email: row.customer_email.clone(),
                locale: row.customer_locale.clone(),
                external_ref: Some(row.customer.clone()),
            };
            let customer = manage_customers::add_within(write, id, new).map_err(|refusal| Refusal {
                faults: refusal
                    .faults
                    .into_iter()
                    .map(|fault| super::Fault { field: column_of(&fault.field), ..fault })
                    .collect(),
                ..refusal
            })?;
            customer.id
        };
        self.customers.insert(row.customer.clone(), id);
        Ok(id)
    }
}

/// The column in which a customer's field stands.
fn column_of(field: &str) -> String {
    match field {
        "external_ref" => "customer".to_owned(),
        other => format!("customer_{other}"),
    }
}

/// The column and the sentence of what the `csv` crate could not read.
fn explain(error: &csv::Error, header: &csv::StringRecord) -> (String, String) {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return (String::new(), error.to_string()) };
    let place = err.field().and_then(|index| usize::try_from(index).ok()).and_then(|index| header.get(index));
    (place.unwrap_or_default().to_owned(), err.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_line_names_columns_that_there_are_and_all_that_are_needed() {
        let check = |line: &str| check_header(&line.split(',').collect());
        let good = "customer,product,deployment,starts_on,ends_on";
        assert_eq!(check(good), Ok(()));
        assert_eq!(check(&format!("license_key,{good},channels")), Ok(()));
        for (wrong, said) in [
            ("customer,product,deployment,starts_on", "`ends_on` is missing"),
            (&format!("{good},colour"), "no column `colour`"),
            (&format!("{good},product"), "`product` is there twice"),
            ("false", "`customer` is missing"),
            ("", "`customer` is missing"),
        ] {
            let refusal = check(wrong).expect_err(wrong);
            assert!(refusal.detail.contains(said), "{wrong}: {}", refusal.detail);
        }
    }
}
