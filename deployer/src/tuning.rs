//! What `tune` does with a stack: the same load at several settings of a function, and which of them to take.
//!
//! - `setting`: what is tried · `tuned_function`: gives the function each setting, and the declared one again
//! - `trials`: runs the load at each setting · `trial`: what was measured at one · `choice`: which settings to take
//! - `announcement`: what is said and asked before the first setting · `report`: the result as text and as a page

pub(crate) mod announcement;
pub(crate) mod choice;
pub(crate) mod report;
pub(crate) mod result;
pub(crate) mod setting;
pub(crate) mod trial;
pub(crate) mod trials;
pub(crate) mod tuned_function;
