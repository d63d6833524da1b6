//! One side of a finding: its places in the source, and what else it held.

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Origin, Snippet};

use super::snippet::{Place, Sources};
use super::story;
use crate::finding::{Code, Finding, LockUse, Side, Wants};

/// How many frames of a stack are shown; the JSON has them all.
const STACK_MAX: usize = 12;

/// How many calls on the way are shown in the source; the JSON has them all.
const CALLS_MAX: usize = 6;

/// A source file that some side names: its path in sites, and its text.
pub(super) type File = (String, String);

/// The readable source files that the finding's sides name.
pub(super) fn files(finding: &Finding, sources: &Sources) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for side in &finding.cycle {
        for stop in stops(finding, side) {
            let Some(place) = Place::parse(&stop.site) else {
                continue;
            };
            if files.iter().all(|(path, _)| *path != place.path)
                && let Some(text) = sources.read(&place.path)
            {
                files.push((place.path, text));
            }
        }
    }
    files
}

/// A place on a side's way into the deadlock.
struct Stop {
    site: String,
    label: String,
    kind: AnnotationKind,
}

/// Where the side takes what it holds, and where it waits; one stop if both are the same call.
fn stops(finding: &Finding, side: &Side) -> Vec<Stop> {
    let mut way = Vec::new();
    if let Some(held) = &side.holds {
        way.push(Stop {
            site: held.site.clone(),
            label: format!("takes {}{}", story::lock(held), expression(held)),
            kind: AnnotationKind::Context,
        });
    }
    if story::is_code(finding) {
        let leads = side.path.iter().map(|site| Stop {
            site: site.clone(),
            label: "calls what leads there".to_owned(),
            kind: AnnotationKind::Context,
        });
        way.extend(leads.take(CALLS_MAX));
    }
    let again = match finding.code {
        Code::SelfDeadlock => " again, and waits for itself",
        Code::RecursiveRead => " again, and waits if a writer does",
        _ => "",
    };
    let Some(wants) = &side.wants else {
        if let Some(only) = way.last_mut() {
            only.kind = AnnotationKind::Primary;
        }
        return way;
    };
    let (place, label) = match wants {
        Wants::Lock(want) => {
            let label = format!("{}{}{again}", story::waits(wants), expression(want));
            (want.site.clone(), label)
        }
        Wants::Resource(want) => (want.site.clone(), story::waits(wants)),
    };
    match way.first_mut() {
        Some(held) if held.site == place => {
            held.label = format!("{}, then {label}", held.label);
            held.kind = AnnotationKind::Primary;
        }
        _ => way.push(Stop {
            site: place,
            label,
            kind: AnnotationKind::Primary,
        }),
    }
    way
}

/// The lock expression that `acquire!` recorded, in brackets.
fn expression(lock: &LockUse) -> String {
    lock.expression
        .as_ref()
        .map_or(String::new(), |text| format!(" [{text}]"))
}

/// The side at this place of the cycle: its sources, and what else it held.
pub(super) fn group<'a>(finding: &Finding, at: usize, files: &'a [File]) -> Group<'a> {
    let side = &finding.cycle[at];
    let mut group = Group::with_title(Shown::NOTE.secondary_title(story::thread(finding, side)));
    let mut open: Option<(&'a str, Snippet<'a, _>)> = None;
    for stop in stops(finding, side) {
        let found = Place::parse(&stop.site).and_then(|place| {
            let (path, text) = files.iter().find(|(path, _)| *path == place.path)?;
            Some((path.as_str(), text.as_str(), place.find(text)?))
        });
        if let Some((path, text, span)) = found {
            let annotation = stop.kind.span(span).label(stop.label);
            open = Some(match open.take() {
                Some((same, snippet)) if same == path => (same, snippet.annotation(annotation)),
                other => {
                    group = group.elements(other.map(|(_, snippet)| snippet));
                    let snippet = Snippet::source(text).path(path);
                    (path, snippet.annotation(annotation))
                }
            });
        } else {
            group = group
                .elements(open.take().map(|(_, snippet)| snippet))
                .element(origin(&stop.site))
                .element(Shown::NOTE.no_name().message(stop.label));
        }
    }
    group = group.elements(open.map(|(_, snippet)| snippet));
    for held in &side.also_held {
        let text = format!("also held: {}, since {}", story::lock(held), held.site);
        group = group.element(Shown::NOTE.message(text));
    }
    if !side.gates.is_empty() {
        let gates: Vec<String> = side.gates.iter().map(|gate| format!("`{gate}`")).collect();
        let text = format!("gate on every side: {}", gates.join(", "));
        group = group.element(Shown::NOTE.message(text));
    }
    if !side.path.is_empty() && !story::is_code(finding) {
        let text = format!("in between: {}", side.path.join(" -> "));
        group = group.element(Shown::NOTE.message(text));
    }
    if !side.stack.is_empty() {
        group = group.element(Shown::NOTE.message(stack(side)));
    }
    let before = &finding.cycle[..at];
    for made in provenance(side, before) {
        group = group.element(Shown::NOTE.message(made));
    }
    group
}

/// Points to a site whose source is not at hand.
fn origin(site: &str) -> Origin<'static> {
    match Place::parse(site) {
        Some(place) => Origin::path(place.path)
            .line(place.line)
            .char_column(place.column),
        None => Origin::path(site.to_owned()),
    }
}

/// The innermost frames, one a line.
fn stack(side: &Side) -> String {
    let frames = &side.stack;
    let mut text = match &side.stack_of {
        None => String::from("stack, innermost first:"),
        Some(other) => format!("stack of {other}, which asked for the same here, innermost first:"),
    };
    for frame in frames.iter().take(STACK_MAX) {
        text.push_str("\n  ");
        text.push_str(frame);
    }
    if frames.len() > STACK_MAX {
        let more = frames.len() - STACK_MAX;
        text.push_str("\n  and ");
        text.push_str(&more.to_string());
        text.push_str(" more, in the JSON report");
    }
    text
}

/// Where this side's locks were made and what they protect, as far as that says more than their
/// names and was not said for a side `before`.
fn provenance(side: &Side, before: &[Side]) -> Vec<String> {
    let locks = |side: &Side| -> Vec<LockUse> {
        let want = match &side.wants {
            Some(Wants::Lock(want)) => Some(want.clone()),
            _ => None,
        };
        side.holds.iter().cloned().chain(want).collect()
    };
    let mut said: Vec<String> = before.iter().flat_map(locks).map(|l| l.lock).collect();
    let mut texts = Vec::new();
    for lock in locks(side) {
        if said.contains(&lock.lock) {
            continue;
        }
        let made = match (lock.made, Place::parse(&lock.class)) {
            (Some(made), _) => format!(" made {made}"),
            (None, Some(_)) if !lock.lock.starts_with(&lock.class) => {
                format!(" made at {}", lock.class)
            }
            (None, None) if lock.lock != lock.class => format!(" of class `{}`", lock.class),
            _ => String::new(),
        };
        let what = lock
            .type_name
            .map_or(String::new(), |name| format!(", protects `{name}`"));
        if !made.is_empty() || !what.is_empty() {
            texts.push(format!("`{}`:{made}{what}", lock.lock).replace(":,", ":"));
        }
        said.push(lock.lock);
    }
    texts
}
