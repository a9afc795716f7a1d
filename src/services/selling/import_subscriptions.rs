//! Imports a whole customer base from CSV, either completely or not at all.

use std::{collections::HashMap, fmt::Display, str::FromStr, sync::Arc};

use jiff::civil::Date;

use crate::{
    domain::{
        id::{CustomerId, ProductId, SubscriptionId},
        line::Line,
        locale::LanguageTag,
        reach::Reach,
        slug::Slug,
        subscription::Deployment,
        version::Requirement,
    },
    services::{
        desk::{Code, Context, Fault, Faults, Refusal, Write, lookup},
        selling::{
            customers::{self, NewCustomer},
            subscriptions::{self, Ids, NewSubscription},
        },
    },
    signing::KeyRing,
    store,
};

/// How many wrong lines one answer names.
const SHOWN: usize = 100;

/// The columns of a file. The first five are required.
const COLUMNS: [&str; 14] = [
    "customer",
    "product",
    "deployment",
    "starts_on",
    "ends_on",
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
const NEEDED: usize = 5;

/// One line of the file. Lines with the same `customer` belong to one customer, who is added if none has that
/// `external_ref`.
#[derive(Debug)]
struct Row {
    customer: Line,
    customer_name: Option<Line>,
    customer_email: Option<String>,
    customer_locale: Option<LanguageTag>,
    product: Slug,
    deployment: Deployment,
    starts_on: Date,
    ends_on: Option<Date>,
    grace_days: Option<u16>,
    /// Separated by spaces.
    channels: Option<Vec<Slug>>,
    version_req: Option<Requirement>,
    hosting_group: Option<Slug>,
    external_ref: Option<Line>,
    license_key: Option<String>,
}

/// One line as written, and the faults found in it.
struct Written<'f> {
    line: u64,
    header: &'f csv::StringRecord,
    record: &'f csv::StringRecord,
    faults: &'f mut LineFaults,
}

impl Written<'_> {
    /// The text in a column; `None` if the column is empty or missing.
    fn text(&self, column: &str) -> Option<&str> {
        let place = self.header.iter().position(|name| name == column)?;
        self.record.get(place).filter(|text| !text.is_empty())
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    /// The value in a column, if it is not empty. Adds a fault if the value is invalid.
    fn value<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        let text = self.text(column)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = naming(text, &error.to_string());
                self.faults.add(self.line, column, &message);
                None
            }
        }
    }

    /// The value in a required column. Adds a fault if it is missing or invalid.
    fn needed<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        if self.text(column).is_none() {
            self.faults.add(self.line, column, "must not be empty");
        }
        self.value(column)
    }

    fn channels(&mut self) -> Option<Vec<Slug>> {
        let names: Result<Vec<Slug>, _> = self.text("channels")?.split_whitespace().map(str::parse).collect();
        names.map_err(|error| self.faults.add(self.line, "channels", &error.to_string())).ok()
    }

    /// The line; `None` if a required value is missing or invalid.
    fn read(mut self) -> Option<Row> {
        let (customer, product, deployment) =
            (self.needed("customer"), self.needed("product"), self.needed("deployment"));
        let (starts_on, ends_on) = (self.needed("starts_on"), self.value("ends_on"));
        let (customer_locale, grace_days) = (self.value("customer_locale"), self.value("grace_days"));
        let channels = self.channels();
        let (customer_name, external_ref) = (self.value("customer_name"), self.value("external_ref"));
        let (version_req, hosting_group) = (self.value("version_req"), self.value("hosting_group"));
        Some(Row {
            customer: customer?,
            customer_name,
            customer_email: self.owned("customer_email"),
            customer_locale,
            product: product?,
            deployment: deployment?,
            starts_on: starts_on?,
            ends_on,
            grace_days,
            channels,
            version_req,
            hosting_group,
            external_ref,
            license_key: self.owned("license_key"),
        })
    }
}

/// A text, shortened for repetition in an answer.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// A fault's message, with the text that is wrong.
fn naming(text: &str, message: &str) -> String {
    let shown = shortened(text);
    if message.contains(&shown) { message.to_owned() } else { format!("`{shown}`: {message}") }
}

/// The subscription that a line became.
#[derive(Clone)]
pub struct Imported {
    /// The number of the line in the file.
    pub line: u64,
    pub subscription: SubscriptionId,
    /// The license key in clear text, only here; `None` if the file contains the key.
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
    let desk = Arc::clone(context);
    // Read before it is this write's turn, so that no other write, such as a stop, waits for a large file.
    let read = tokio::task::spawn_blocking(move || read(&file)).await;
    let lines = read.unwrap_or_else(|error| Err(Refusal::internal(&error)))?;
    let adding = context.write(move |write| {
        let mut importer =
            Importer { keys: &desk.keys.load(), reach, products: HashMap::new(), customers: HashMap::new() };
        let mut done = Vec::new();
        let mut faults = LineFaults::default();
        for (line, row) in lines {
            match importer.add(write, row) {
                Ok((subscription, license_key)) => done.push(Imported { line, subscription, license_key }),
                Err(refusal) => faults.note(line, refusal)?,
            }
            if faults.is_full() {
                break;
            }
        }
        faults.finish().map(|()| done)
    });
    adding.await
}

/// The lines of a file that contain a subscription, if all of them can be read. Looks nothing up in the database.
///
/// # Errors
/// `body_invalid` naming the lines and columns that are wrong.
pub fn lines(file: &[u8]) -> Result<Vec<u64>, Refusal> {
    read(file).map(|lines| lines.into_iter().map(|(line, _)| line).collect())
}

/// Reads the whole file into rows with the numbers of their lines.
fn read(file: &[u8]) -> Result<Vec<(u64, Row)>, Refusal> {
    let mut faults = LineFaults::default();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| Refusal::field("line 1", error.to_string()))?.clone();
    for name in COLUMNS.iter().take(NEEDED).filter(|name| !header.iter().any(|column| column == **name)) {
        faults.add(1, name, "this column is missing");
    }
    for (place, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            faults.add(1, name, &format!("there is no such column; there is {}", COLUMNS.join(", ")));
        } else if header.iter().take(place).any(|earlier| earlier == name) {
            faults.add(1, name, "this column is there twice");
        }
        if faults.is_full() {
            break;
        }
    }
    faults.finish()?;
    let mut faults = LineFaults::default();
    let mut lines = Vec::new();
    let mut counter = LineCounter::new(file);
    let mut record = csv::StringRecord::new();
    loop {
        let place = reader.position().clone();
        match reader.read_record(&mut record) {
            Ok(true) => {
                let line = counter.line_of(record.position().unwrap_or(&place));
                let written = Written { line, header: &header, record: &record, faults: &mut faults };
                lines.extend(written.read().map(|row| (line, row)));
            }
            Ok(false) => break,
            Err(error) => faults.add(counter.line_of(&place), "", &error.to_string()),
        }
        if faults.is_full() {
            break;
        }
    }
    faults.finish().map(|()| lines)
}

/// Counts the lines of a file from its beginning, with `\n`, `\r\n` and `\r` as line ends. The CSV reader ends a record
/// at a lone `\r`, but counts lines by `\n` only.
struct LineCounter<'f> {
    file: &'f [u8],
    at: usize,
    line: u64,
}

impl<'f> LineCounter<'f> {
    const fn new(file: &'f [u8]) -> Self {
        Self { file, at: 0, line: 1 }
    }

    /// The line on which a record begins. Records must be asked for in order. The position of a record includes the
    /// empty lines before it.
    fn line_of(&mut self, position: &csv::Position) -> u64 {
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let mut before = self.at.checked_sub(1).and_then(|last| self.file.get(last)).copied();
        while let Some(&byte) = self.file.get(self.at) {
            let is_end = matches!(byte, b'\r' | b'\n');
            if self.at >= start && !is_end {
                break;
            }
            // `\r\n` counts as one line end.
            self.line += u64::from(is_end && (before, byte) != (Some(b'\r'), b'\n'));
            before = Some(byte);
            self.at += 1;
        }
        self.line
    }
}

/// The faults, line by line.
#[derive(Default)]
struct LineFaults {
    faults: Faults,
    count: usize,
}

impl LineFaults {
    fn add(&mut self, line: u64, column: &str, message: &str) {
        let field =
            if column.is_empty() { format!("line {line}") } else { format!("line {line}, {}", shortened(column)) };
        self.faults.add(&field, message);
        self.count += 1;
    }

    /// Adds a refusal to the faults of a line. A refusal that concerns no line ends the import.
    fn note(&mut self, line: u64, refusal: Refusal) -> Result<(), Refusal> {
        match column_of_code(refusal.code) {
            Some(column) => self.add(line, column, &refusal.detail),
            None if refusal.faults.is_empty() => return Err(refusal),
            None => refusal.faults.iter().for_each(|fault| self.add(line, &fault.field, &fault.message)),
        }
        Ok(())
    }

    const fn is_full(&self) -> bool {
        self.count >= SHOWN
    }

    fn finish(self) -> Result<(), Refusal> {
        self.faults.finish()
    }
}

struct Importer<'k> {
    keys: &'k KeyRing,
    reach: Reach,
    products: HashMap<Slug, ProductId>,
    customers: HashMap<Line, CustomerId>,
}

impl Importer<'_> {
    fn add(&mut self, write: &mut Write<'_>, row: Row) -> Result<(SubscriptionId, Option<String>), Refusal> {
        // Checked before any other lookup: a product out of reach must reveal nothing.
        let product = self.product(write, &row.product)?;
        if let Some(reference) = &row.external_ref {
            // Refused, so that a file can be sent again after its answer was lost, without adding anything twice.
            if store::subscriptions::has_external_ref(write.connection, product, reference)? {
                return Err(Refusal::field(
                    "external_ref",
                    format!("there is a subscription `{reference}` of this product already"),
                ));
            }
        }
        let customer_id = self.customer(write, &row)?;
        let brought = row.license_key.is_some();
        let new = NewSubscription {
            customer_id,
            product: row.product,
            deployment: row.deployment,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            grace_days: row.grace_days.unwrap_or(0),
            channels: row.channels,
            version_req: row.version_req,
            hosting_group: row.hosting_group,
            external_ref: row.external_ref,
            license_key: row.license_key,
        };
        let ids = Ids { subscription: write.new_id(), license_key: write.new_id() };
        let (subscription, issued) = subscriptions::add_within(write, self.keys, &self.reach, ids, new)?;
        Ok((subscription.coverage.id, (!brought).then_some(issued.license_key)))
    }

    /// The product of a line. It is looked up once, because most lines have the same one.
    fn product(&mut self, write: &mut Write<'_>, slug: &Slug) -> Result<ProductId, Refusal> {
        if let Some(known) = self.products.get(slug) {
            return Ok(*known);
        }
        let id = lookup::product_within(write.connection, &self.reach, slug)?.id;
        self.products.insert(slug.clone(), id);
        Ok(id)
    }

    /// The customer of a line: from an earlier line, from the database, or added now.
    fn customer(&mut self, write: &mut Write<'_>, row: &Row) -> Result<CustomerId, Refusal> {
        if let Some(known) = self.customers.get(&row.customer) {
            return Ok(*known);
        }
        let id = if let Some(known) = store::customers::by_external_ref(write.connection, &row.customer)? {
            if !store::customers::is_within(write.connection, known.id, &self.reach)? {
                let detail = format!("there is no customer `{}` within your reach", row.customer);
                return Err(Refusal::new(Code::CustomerNotFound, detail));
            }
            known.id
        } else {
            let id = write.new_id();
            let new = NewCustomer {
                name: row.customer_name.clone().unwrap_or_else(|| row.customer.clone()),
                email: row.customer_email.clone(),
                locale: row.customer_locale.clone(),
                external_ref: Some(row.customer.clone()),
            };
            let customer = customers::add_within(write, id, new).map_err(|refusal| Refusal {
                faults: refusal
                    .faults
                    .into_iter()
                    .map(|fault| Fault { field: column_of(&fault.field), ..fault })
                    .collect(),
                ..refusal
            })?;
            customer.id
        };
        self.customers.insert(row.customer.clone(), id);
        Ok(id)
    }
}

/// The column that a refusal without a field concerns; `None` if it concerns no line.
const fn column_of_code(code: Code) -> Option<&'static str> {
    match code {
        Code::LicenseKeyExists => Some("license_key"),
        Code::ProductNotFound => Some("product"),
        Code::HostingGroupNotFound => Some("hosting_group"),
        Code::CustomerNotFound => Some("customer"),
        _ => None,
    }
}

/// The column of a customer's field.
fn column_of(field: &str) -> String {
    match field {
        "external_ref" => "customer".to_owned(),
        other => format!("customer_{other}"),
    }
}
