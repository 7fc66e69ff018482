//! [`List`]: what a list is of, its columns, where its things lie. Each topic has one; the rest of the console asks [`Listed`].

use ratatui::text::Span;

use crate::{
    cloud::CloudError,
    keymap::{Command, Scope},
    observe::{Estate, PartName, Snapshot, Subject},
    screens::{
        list::{
            column::{Column, Line, Order, Spot, Title},
            thing::{Meant, PartState, Thing},
        },
        screen::{Able, Tab},
    },
    state::{ListGroup, ListRow, ListView, Model, Role, Site},
    widgets::{Cell, Shape, words},
};

pub struct List<T: ?Sized + 'static> {
    pub head: Head,
    /// The first three are [`super::column::worst`], [`super::column::environment`] and [`super::column::name`].
    pub columns: &'static [Column<T>],
    pub count: fn(&Snapshot) -> usize,
    pub at: fn(&Snapshot, usize) -> Option<&T>,
    pub thing: fn(&T) -> &dyn Thing,
    /// The rows of those that a verdict on this name is about.
    pub find: fn(&Snapshot, &str) -> Vec<usize>,
    /// What a command would do from the list, or why it can't.
    pub meant: fn(&Here<'_, T>, Command) -> Result<Meant, Able>,
}

pub type Said = Vec<(String, Role)>;

/// What is said of a list as a whole.
pub struct Head {
    pub scope: Scope,
    pub tab: Tab,
    /// One of it, and many.
    pub nouns: [&'static str; 2],
    /// Commands worth a place in the footer, most wanted first.
    pub wanted: &'static [Command],
    /// What can be done from a sheet, for the footer.
    pub sheet_ways: &'static [(Command, &'static str)],
    /// What is counted, as [`Thing::tallies`] does: words after the number, and what they mean.
    pub tallies: [(&'static str, Role); 2],
    /// What is watched more closely while it is shown.
    pub parts: &'static [PartName],
    /// The parts of what is seen that it shows.
    pub known: fn(&Estate) -> Vec<PartState<'_>>,
    /// Whether something is one of it.
    pub is_about: fn(&Subject) -> bool,
    pub manner: Manner,
}

pub struct Manner {
    /// What is counted under headings, as [`Thing::group_tallies`] does: what stands before and after the number. None: as in
    /// the list's own heading.
    pub group_tallies: Option<[(&'static str, &'static str); 2]>,
    pub groups: Option<OwnGroups>,
    pub narrow: Option<Narrowing>,
    /// Whether several can be selected for one operation.
    pub selects: bool,
    /// What stands at the right of the heading: what is awaited, when it was seen.
    pub beside: fn(&Model, &Head) -> Vec<Span<'static>>,
    /// What is said where there are no rows: what that means, and what to do.
    pub nothing: fn(&Model, &ListView, &dyn Listed) -> Said,
    /// Whether snapshots hold them by name.
    pub by_name: bool,
    /// Whether time alone changes rows.
    pub ages: bool,
    /// The name has at most such a part of the room, where there is little.
    pub name_share: (u16, u16),
    /// Rows of the details below, where there is much room.
    pub detail_rows_max: u16,
}

#[derive(Debug, Clone, Copy)]
pub struct OwnGroups {
    /// In the heading: "by system".
    pub short: &'static str,
    pub words: &'static str,
    /// What those in no group are called.
    pub none: &'static str,
    /// Whether each environment has its own.
    pub per_environment: bool,
    /// Whether a thing alone makes a group.
    pub lone: bool,
}

/// A part of the list that can be shown alone.
#[derive(Debug, Clone, Copy)]
pub struct Narrowing {
    pub command: Command,
    /// When it is chosen, and no longer.
    pub words: [&'static str; 2],
}

/// What an operation from the list would be for.
pub struct Here<'a, T: ?Sized> {
    pub head: &'a Head,
    pub under: Option<(&'a Site, &'a T)>,
    /// The group whose heading is under the cursor, where it is of one environment.
    pub group: Option<(&'a Site, &'a ListGroup)>,
    pub selected: Vec<(&'a Site, &'a T)>,
    /// Selected ones that are not listed: an operation is never for what its person does not see there.
    pub hidden: usize,
    pub site: Option<&'a Site>,
}

impl Head {
    pub fn counted(&self, number: usize) -> String {
        let [one, many] = self.nouns;
        format!("{} {}", words::count(number as u64), if number == 1 { one } else { many })
    }

    /// Why a part of it could not be asked for.
    pub(crate) fn error<'a>(&self, site: &'a Site) -> Option<&'a CloudError> {
        let estate = &site.snapshot.as_ref()?.estate;
        (self.known)(estate).into_iter().find_map(|part| part.error)
    }
}

pub trait Listed: Sync {
    fn head(&self) -> &Head;
    fn columns(&self) -> usize;
    fn title(&self, column: usize) -> Option<&Title>;
    fn shape(&self, column: usize) -> Option<&Shape<'static>>;
    fn count(&self, site: &Site) -> usize;
    fn thing<'a>(&self, site: &'a Site, row: usize) -> Option<&'a dyn Thing>;
    /// The rows of those that a verdict on this name is about.
    fn find(&self, site: &Site, name: &str) -> Vec<usize>;
    fn order(&self, spot: &Spot<'_>, column: usize) -> Option<Order>;
    fn cell<'a>(&self, line: &Line<'a>, column: usize) -> Option<Cell<'a>>;
    /// What a command would do from the list, or why it can't.
    fn meant(&self, model: &Model, view: &ListView, command: Command) -> Result<Meant, Able>;
}

impl<T: ?Sized + 'static> List<T> {
    fn get<'a>(&self, site: &'a Site, row: usize) -> Option<&'a T> {
        (self.at)(site.snapshot.as_ref()?, row)
    }
}

impl<T: ?Sized + 'static> Listed for List<T> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn columns(&self) -> usize {
        self.columns.len()
    }

    fn title(&self, column: usize) -> Option<&Title> {
        self.columns.get(column).map(|column| &column.title)
    }

    fn shape(&self, column: usize) -> Option<&Shape<'static>> {
        self.columns.get(column).map(|column| &column.shape)
    }

    fn count(&self, site: &Site) -> usize {
        site.snapshot.as_ref().map_or(0, |snapshot| (self.count)(snapshot))
    }

    fn thing<'a>(&self, site: &'a Site, row: usize) -> Option<&'a dyn Thing> {
        self.get(site, row).map(self.thing)
    }

    fn find(&self, site: &Site, name: &str) -> Vec<usize> {
        site.snapshot.as_ref().map(|snapshot| (self.find)(snapshot, name)).unwrap_or_default()
    }

    fn order(&self, spot: &Spot<'_>, column: usize) -> Option<Order> {
        (self.columns.get(column)?.order)(spot, self.get(spot.site, spot.at.row as usize)?)
    }

    fn cell<'a>(&self, line: &Line<'a>, column: usize) -> Option<Cell<'a>> {
        Some((self.columns.get(column)?.cell)(line, self.get(line.site, line.at.row as usize)?))
    }

    fn meant(&self, model: &Model, view: &ListView, command: Command) -> Result<Meant, Able> {
        let row = view.rows.get(view.cursor.at);
        let under = match row {
            Some(ListRow::Thing(at)) => {
                let site = model.sites.get(usize::from(at.site));
                site.and_then(|site| Some((site, self.get(site, at.row as usize)?)))
            }
            Some(ListRow::Heading(_)) | None => None,
        };
        let group = match row {
            Some(ListRow::Heading(at)) => view.groups.get(*at as usize),
            Some(ListRow::Thing(_)) | None => None,
        };
        let group = group.and_then(|group| Some((model.site(group.environment.as_ref()?)?, group)));
        let is_selected =
            |site: &Site, one: &T| view.selected.contains(&(site.environment.name.clone(), (self.thing)(one).id()));
        let (mut selected, mut listed) = (Vec::new(), 0);
        if !view.selected.is_empty() {
            let all = model.sites.iter().flat_map(|site| {
                (0..Listed::count(self, site)).filter_map(move |row| Some((site, self.get(site, row)?)))
            });
            selected.extend(all.filter(|(site, one)| is_selected(site, one)));
            let rows = view.rows.iter().filter_map(|row| match row {
                ListRow::Thing(at) => {
                    let site = model.sites.get(usize::from(at.site))?;
                    Some((site, self.get(site, at.row as usize)?))
                }
                ListRow::Heading(_) => None,
            });
            listed = rows.filter(|(site, one)| is_selected(site, one)).count();
        }
        let here = under.map(|(site, _)| site).or(group.map(|(site, _)| site));
        let site = here.or_else(|| model.only.as_ref().and_then(|only| model.site(only)));
        let hidden = view.selected.len().saturating_sub(listed);
        (self.meant)(&Here { head: &self.head, under, group, selected, hidden, site }, command)
    }
}

/// All things of a list in an environment, as far as they were seen.
pub(crate) fn things<'a>(list: &'a dyn Listed, site: &'a Site) -> impl Iterator<Item = &'a dyn Thing> {
    (0..list.count(site)).filter_map(move |row| list.thing(site, row))
}

/// The rows of those of a slice that a verdict on this name is about: of some lists one name is that of several.
pub(crate) fn scan<'a, T: Thing + ?Sized + 'a>(rows: impl Iterator<Item = &'a T>, name: &str) -> Vec<usize> {
    rows.enumerate().filter(|(_, one)| one.is_meant_by(name)).map(|(row, _)| row).collect()
}

/// What an operation would do with the thing under the cursor.
pub(crate) fn one<T: Thing + ?Sized>(here: &Here<'_, T>, command: Command) -> Result<Meant, Able> {
    match here.under {
        Some((site, one)) => one.meant(site, command),
        None if command.is_operation() && command.is_meant_in(here.head.scope) => {
            Err(Able::no(&format!("the cursor is on no {}", here.head.nouns[0])))
        }
        None => Err(Able::NotHere),
    }
}
