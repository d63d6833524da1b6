//! What runs under a lock and is not known: callbacks, methods of users' types, what is dropped for them.
//! Noted only when asked for.

use super::{Call, type_of_place};
use crate::code::class;
use crate::code::flow::record::Point;
use crate::code::flow::{Flow, State};
use crate::code::ir::{Place, Site};
use crate::code::known::Resource;
use crate::code::text::{head, last};
use crate::code::value::Value;

/// Pointers and containers that drop what they hold.
const OWNERS: [&str; 6] = ["Option", "Box", "Arc", "Rc", "Vec", "VecDeque"];

impl Flow<'_> {
    /// A function value is called whose body is not known.
    pub(in crate::code::flow) fn calls_unknown_value(
        &mut self,
        value: &Value,
        site: Site,
        state: &State,
    ) {
        let what = match value {
            Value::At(path) | Value::To(path) => {
                let class = class::of_path(self.frame, path);
                let program = self.frame.program;
                if class.is_nameless(program) {
                    "a function value".to_owned()
                } else {
                    class::short(&program.text(class.name))
                }
            }
            _ => "a function value".to_owned(),
        };
        self.unknown(&what, site, state);
    }

    /// A method is called that only somebody else can implement.
    pub(in crate::code::flow) fn calls_unknown_method(&mut self, call: &Call<'_>, state: &State) {
        let Some(method) = call.method else { return };
        let text = self.frame.program.text(method);
        let (of, name) = text.rsplit_once("::").unwrap_or(("", &text));
        self.unknown(&format!("{}::{name}", last(of)), call.site, state);
    }

    /// A waker is woken: the executor runs.
    pub(in crate::code::flow) fn wakes_unknown(&mut self, call: &Call<'_>, state: &State) {
        let Some(method) = call.method else { return };
        let text = self.frame.program.text(method);
        if text.ends_with("Waker::wake") || text.ends_with("Waker::wake_by_ref") {
            self.calls_unknown_method(call, state);
        }
    }

    /// A value is dropped whose type the caller chooses.
    pub(in crate::code::flow) fn drops_unknown(
        &mut self,
        place: &Place,
        site: Site,
        state: &State,
    ) {
        if !self.frame.program.extra.callbacks {
            return;
        }
        let Some(of) = type_of_place(self.frame, place) else {
            return;
        };
        let text = self.frame.program.text(of);
        if let Some(of) = of_the_caller(&text) {
            let of = of.strip_prefix("dyn ").unwrap_or(of);
            self.unknown(&format!("drop of {}", last(head(of).0)), site, state);
        }
    }

    fn unknown(&mut self, what: &str, site: Site, state: &State) {
        let program = self.frame.program;
        if program.extra.callbacks {
            let name = program.names.of(what);
            self.blocks(Resource::Callback, name, &[], Point::at(site, state));
        }
    }
}

/// The type parameter or trait object that a value of this type owns, if it owns nothing else.
fn of_the_caller(text: &str) -> Option<&str> {
    if text.starts_with("dyn ") && !text.contains(" Fn") {
        return Some(text);
    }
    let (path, arguments) = head(text);
    if OWNERS.contains(&last(path)) {
        return of_the_caller(arguments.first()?);
    }
    let is_parameter = arguments.is_empty()
        && path == text
        && path.starts_with(|c: char| c.is_ascii_uppercase())
        && path.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_parameter.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::of_the_caller;

    #[test]
    fn a_parameter_or_trait_object_is_the_callers() {
        assert_eq!(of_the_caller("T"), Some("T"));
        assert_eq!(of_the_caller("std::option::Option<T>"), Some("T"));
        assert_eq!(
            of_the_caller("std::sync::Arc<dyn a::Data>"),
            Some("dyn a::Data")
        );
        assert_eq!(
            of_the_caller("std::vec::Vec<std::boxed::Box<T>>"),
            Some("T")
        );
        assert_eq!(of_the_caller("a::Own"), None);
        assert_eq!(of_the_caller("std::sync::Arc<a::Own>"), None);
        assert_eq!(of_the_caller("&T"), None);
        assert_eq!(of_the_caller("std::sync::MutexGuard<'_, T>"), None);
    }
}
