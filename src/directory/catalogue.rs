//! The catalogue: products with their releases and stops, and hosting groups. It is small, and replaced as a whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::Loaded;
use crate::domain::{
    artifact::Artifact,
    hosting_group::HostingGroup,
    id::{ArtifactId, HostingGroupId, ProductId, ReleaseId},
    known_problem::{self, KnownProblem},
    manifest::SignedManifest,
    product::Product,
    release::Release,
    slug::Slug,
    stop::Stop,
    version::Version,
};

/// A product with everything that decisions about it depend on.
#[derive(Clone, Debug)]
pub struct ProductEntry {
    pub product: Product,
    pub stops: Vec<Stop>,
    /// The vendor's rules for known problems, in the order in which they apply.
    pub known_problems: Arc<[KnownProblem]>,
    /// All releases, drafts included, by ascending version.
    pub releases: Vec<Arc<Release>>,
}

impl ProductEntry {
    /// The release whose version has the same precedence as this one.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<&Arc<Release>> {
        let place = self.releases.binary_search_by(|release| release.version.cmp(version)).ok()?;
        self.releases.get(place)
    }
}

/// All products and hosting groups, indexed.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    products: BTreeMap<Slug, Arc<ProductEntry>>,
    slugs: HashMap<ProductId, Slug>,
    groups: HashMap<HostingGroupId, Arc<HostingGroup>>,
    artifacts: HashMap<ArtifactId, (ProductId, Version)>,
    manifests: HashMap<ReleaseId, Arc<SignedManifest>>,
}

impl Catalogue {
    /// Builds the catalogue from the rows of the database.
    #[must_use]
    pub fn new(
        products: Vec<(Product, Vec<Stop>, Vec<KnownProblem>)>,
        releases: Vec<Release>,
        manifests: Vec<SignedManifest>,
        groups: Vec<HostingGroup>,
    ) -> Self {
        let mut catalogue = Self::default();
        for (product, stops, known_problems) in products {
            catalogue.apply(Loaded::Product(Box::new(product), stops, known_problems));
        }
        let mut by_product: HashMap<ProductId, Vec<Arc<Release>>> = HashMap::new();
        for release in releases {
            catalogue.note_artifacts(&release);
            by_product.entry(release.product).or_default().push(Arc::new(release));
        }
        for (product, mut releases) in by_product {
            releases.sort_by(|left, right| left.version.cmp(&right.version));
            catalogue.change(product, |entry| entry.releases = releases);
        }
        for manifest in manifests {
            catalogue.note_manifest(Some(manifest));
        }
        for group in groups {
            catalogue.apply(Loaded::HostingGroup(group));
        }
        catalogue
    }

    /// The product with this slug. `slug` may come from a request unparsed.
    #[must_use]
    pub fn product(&self, slug: &str) -> Option<&Arc<ProductEntry>> {
        self.products.get(slug)
    }

    /// The product with this id.
    #[must_use]
    pub fn product_by_id(&self, id: ProductId) -> Option<&Arc<ProductEntry>> {
        self.products.get(self.slugs.get(&id)?)
    }

    /// All products, by slug.
    pub fn products(&self) -> impl Iterator<Item = &Arc<ProductEntry>> {
        self.products.values()
    }

    /// The hosting group with this id.
    #[must_use]
    pub fn group(&self, id: HostingGroupId) -> Option<&Arc<HostingGroup>> {
        self.groups.get(&id)
    }

    /// The hosting group with this slug.
    #[must_use]
    pub fn group_by_slug(&self, slug: &str) -> Option<&Arc<HostingGroup>> {
        self.groups.values().find(|group| group.slug.as_str() == slug)
    }

    /// All hosting groups, by slug.
    #[must_use]
    pub fn groups(&self) -> Vec<&Arc<HostingGroup>> {
        let mut groups: Vec<_> = self.groups.values().collect();
        groups.sort_by(|left, right| left.slug.cmp(&right.slug));
        groups
    }

    /// The artifact with this id, its product and its release.
    #[must_use]
    pub fn artifact(&self, id: ArtifactId) -> Option<(&Arc<ProductEntry>, &Arc<Release>, &Artifact)> {
        let (product, version) = self.artifacts.get(&id)?;
        let entry = self.product_by_id(*product)?;
        let release = entry.release(version)?;
        let artifact = release.artifacts.iter().find(|artifact| artifact.id == id)?;
        Some((entry, release, artifact))
    }

    /// The newest signed manifest of a release; `None` for a draft.
    #[must_use]
    pub fn manifest(&self, release: ReleaseId) -> Option<&Arc<SignedManifest>> {
        self.manifests.get(&release)
    }

    /// Applies a change. A change of a subscription is ignored.
    pub(super) fn apply(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Product(product, stops, mut known_problems) => {
                known_problem::put_in_order(&mut known_problems);
                let releases = self.product_by_id(product.id).map(|known| known.releases.clone()).unwrap_or_default();
                self.slugs.insert(product.id, product.slug.clone());
                let slug = product.slug.clone();
                let known_problems = known_problems.into();
                let entry = ProductEntry { product: *product, stops, known_problems, releases };
                self.products.insert(slug, Arc::new(entry));
            }
            Loaded::Release(release, manifest) => {
                self.note_manifest(manifest);
                self.forget_artifacts(release.product, release.id);
                self.note_artifacts(&release);
                self.change(release.product, |entry| {
                    entry.releases.retain(|known| known.id != release.id);
                    let place = entry.releases.partition_point(|known| known.version < release.version);
                    entry.releases.insert(place, Arc::new(*release));
                });
            }
            Loaded::ReleaseGone(product, id) => {
                self.forget_artifacts(product, id);
                self.change(product, |entry| entry.releases.retain(|known| known.id != id));
            }
            Loaded::HostingGroup(group) => {
                self.groups.insert(group.id, Arc::new(group));
            }
            // Subscriptions are not part of the catalogue.
            Loaded::Subscription(..) => {}
        }
    }

    fn note_manifest(&mut self, manifest: Option<SignedManifest>) {
        if let Some(manifest) = manifest {
            self.manifests.insert(manifest.release, Arc::new(manifest));
        }
    }

    fn change(&mut self, product: ProductId, change: impl FnOnce(&mut ProductEntry)) {
        if let Some(entry) = self.slugs.get(&product).and_then(|slug| self.products.get_mut(slug)) {
            change(Arc::make_mut(entry));
        }
    }

    fn note_artifacts(&mut self, release: &Release) {
        self.artifacts
            .extend(release.artifacts.iter().map(|artifact| (artifact.id, (release.product, release.version.clone()))));
    }

    fn forget_artifacts(&mut self, product: ProductId, release: ReleaseId) {
        let known = self
            .product_by_id(product)
            .and_then(|entry| entry.releases.iter().find(|known| known.id == release))
            .cloned();
        for artifact in known.iter().flat_map(|release| &release.artifacts) {
            self.artifacts.remove(&artifact.id);
        }
    }
}
