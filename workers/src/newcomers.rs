//! Takes up catalogues that are added while the process runs, and lets go of those that are removed.
//!
//! Looks at the folder of the packs; not at file events: those are lost on network disks, and one look at a few files every two
//! seconds costs nothing. A newcomer is loaded beside the others, seated, then announced; the registry tells the routers.
//! One that cannot be loaded is passed over until its files change again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use silverback_catalogue::Catalogue;
use silverback_registry::{AnnounceState, Announcement};
use tokio::{
    sync::{Mutex, watch},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    WorkerError,
    announcer::Announcer,
    roster::Roster,
    specialist::{Shared, Specialist},
    specialty::{self, Specialty},
};

/// How often the folder is looked at; bigger: an added catalogue is served later.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Which added catalogues this process serves.
pub enum Wanted {
    /// Every one.
    All,
    /// Those named on its command line.
    Named(BTreeSet<String>),
}

/// Follows the folder of the packs.
pub struct Newcomers {
    pub(crate) announcer: Announcer,
    pub(crate) packs: PathBuf,
    pub(crate) roster: Arc<Roster>,
    pub(crate) shared: Shared,
    pub(crate) wanted: Wanted,
    pub(crate) state: Mutex<State>,
}

/// What was seen last, and who was seated for it.
#[derive(Default)]
pub struct State {
    seen: BTreeMap<PathBuf, Stamp>,
    seats: BTreeMap<String, Seat>,
}

struct Seat {
    stamps: [Option<Stamp>; 2],
    specialty: Specialty,
    /// `None` when it could not be taken up.
    announcement: Option<Announcement>,
}

/// Tells one content of a file from the next: files are replaced by renaming, so the inode changes.
type Stamp = (u64, u64, i64, i64);

// === impl Wanted ===

impl Wanted {
    fn includes(&self, capability: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Named(names) => names.contains(capability),
        }
    }
}

// === impl Newcomers ===

impl Newcomers {
    /// Looks again and again until it is stopped.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look().await;
        }
    }

    /// One look: takes up what came or changed, lets go of what went.
    pub async fn look(&self) {
        let mut state = self.state.lock().await;
        let packs = self.packs.clone();
        let known = state.seen.clone();
        let looked = spawn_blocking(move || {
            let seen = stamps(&packs);
            // Reading the files again warns again about those that are damaged.
            let added = (seen != known).then(|| specialty::added(&packs));
            (seen, added)
        });
        let Ok((seen, Some(added))) = looked.await else { return };
        let added: Vec<Specialty> = added.into_iter().filter(|added| self.wanted.includes(&added.capability)).collect();
        let gone: Vec<String> =
            state.seats.keys().filter(|name| !added.iter().any(|added| added.capability == **name)).cloned().collect();
        for name in gone {
            self.let_go(&name, &mut state).await;
        }
        for specialty in added {
            let stamps = files_of(&self.packs, &specialty.capability).map(|path| seen.get(&path).copied());
            let is_same = state
                .seats
                .get(&specialty.capability)
                .is_some_and(|seat| seat.stamps == stamps && seat.specialty == specialty);
            if !is_same {
                self.take_up(specialty, stamps, &mut state).await;
            }
        }
        state.seen = seen;
    }

    /// Is each of these seated? For those that the command line names: a worker that serves nothing should say so.
    ///
    /// # Errors
    /// The first one that is not, see the log for why.
    pub fn serve_all(&self, names: &BTreeSet<String>) -> Result<(), WorkerError> {
        let missing = names.iter().find(|name| self.roster.serving(name).is_none());
        match missing {
            None => Ok(()),
            Some(name) => {
                Err(WorkerError::PackMissing { provider: name.clone(), place: self.packs.display().to_string() })
            }
        }
    }

    /// Waits until every one that was taken up stands in the registry; gives their number.
    ///
    /// # Errors
    /// Another worker owns the name.
    pub async fn announced(&self) -> Result<usize, WorkerError> {
        let state = self.state.lock().await;
        let announcements: Vec<&Announcement> =
            state.seats.values().filter_map(|seat| seat.announcement.as_ref()).collect();
        for announcement in &announcements {
            announcement.announced().await?;
        }
        Ok(announcements.len())
    }

    /// The states of their announcements.
    pub async fn states(&self) -> Vec<watch::Receiver<AnnounceState>> {
        let state = self.state.lock().await;
        state.seats.values().filter_map(|seat| seat.announcement.as_ref()).map(Announcement::states).collect()
    }

    /// Leaves the registry with all of them.
    pub async fn leave(&self) {
        let mut state = self.state.lock().await;
        for (_, seat) in std::mem::take(&mut state.seats) {
            withdraw(seat.announcement).await;
        }
    }

    async fn take_up(&self, specialty: Specialty, stamps: [Option<Stamp>; 2], state: &mut State) {
        let capability = specialty.capability.clone();
        let before = state.seats.remove(&capability);
        let seated = self.seat(specialty.clone(), before.and_then(|seat| seat.announcement)).await;
        let announcement = match seated {
            Ok(announcement) => {
                info!(capability, "an added catalogue is served");
                Some(announcement)
            }
            Err(error) => {
                warn!(capability, %error, "an added catalogue cannot be served; add it again");
                None
            }
        };
        state.seats.insert(capability, Seat { stamps, specialty, announcement });
    }

    /// Loads it beside the one that serves now, then puts it in its place.
    async fn seat(&self, specialty: Specialty, before: Option<Announcement>) -> Result<Announcement, WorkerError> {
        let capability = specialty.capability.clone();
        let loaded = self.load(specialty).await;
        if loaded.is_err() {
            self.roster.unseat(&capability);
        }
        // Its card names another catalogue: the old one must be gone first.
        withdraw(before).await;
        let specialist = loaded?;
        self.roster.seat(Arc::clone(&specialist));
        self.announcer.announce_specialist(&specialist).inspect_err(|_| self.roster.unseat(&capability))
    }

    async fn load(&self, specialty: Specialty) -> Result<Arc<Specialist>, WorkerError> {
        let (packs, shared) = (self.packs.clone(), self.shared.clone());
        let loading = spawn_blocking(move || load_specialist(&packs, specialty, shared));
        let specialist = loading.await.map_err(|source| WorkerError::WarmUpFailed { reason: source.to_string() })??;
        specialist.warm_up().await?;
        Ok(specialist)
    }

    async fn let_go(&self, capability: &str, state: &mut State) {
        if let Some(seat) = state.seats.remove(capability) {
            withdraw(seat.announcement).await;
            self.roster.unseat(capability);
            info!(capability, "a removed catalogue is no longer served");
        }
    }
}

/// Opens the packs of a specialty.
pub fn load_specialist(packs: &Path, specialty: Specialty, shared: Shared) -> Result<Arc<Specialist>, WorkerError> {
    let mut paths = Vec::new();
    for provider in &specialty.providers {
        let path = packs.join(format!("{provider}.pack"));
        if !path.is_file() {
            return Err(WorkerError::PackMissing { provider: provider.clone(), place: packs.display().to_string() });
        }
        paths.push(path);
    }
    let catalogue = Arc::new(Catalogue::open(&paths)?);
    Ok(Arc::new(Specialist::new(specialty, catalogue, shared)))
}

async fn withdraw(announcement: Option<Announcement>) {
    if let Some(announcement) = announcement {
        announcement.leave().await;
    }
}

/// Pack and specialty of an added catalogue.
fn files_of(packs: &Path, name: &str) -> [PathBuf; 2] {
    ["pack", "toml"].map(|ending| packs.join(format!("{name}.{ending}")))
}

/// The files that added catalogues are made of.
fn stamps(packs: &Path) -> BTreeMap<PathBuf, Stamp> {
    let entries = fs::read_dir(packs).into_iter().flatten().flatten().map(|entry| entry.path());
    let names: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    let all = names.iter().flat_map(|path| [path.clone(), path.with_extension("pack")]);
    all.filter_map(|path| {
        let about = fs::metadata(&path).ok()?;
        Some((path, (about.ino(), about.len(), about.mtime(), about.mtime_nsec())))
    })
    .collect()
}
