//! What stands in the file at which moment.

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("left.txt")
    }

    /// Leftovers of a crawl that has read lines `l1`, `l2` and so on.
    fn leftovers(&self, lines: u64) -> Leftovers {
        let mut leftovers = Leftovers::file(&self.path()).unwrap();
        (1..=lines).for_each(|line| leftovers.add(line, format!("l{line}").into()));
        leftovers
    }

    /// The lines of the file; none if it is not there.
    fn lines(&self) -> Option<Vec<String>> {
        let text = std::fs::read_to_string(self.path()).ok()?;
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?} is cut");
        Some(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect())
    }

    fn is(&self, expected: &[&str]) {
        assert_eq!(self.lines().as_deref(), Some(expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>().as_slice()));
    }

    /// Files in the folder, those that wait to be put into their place included.
    fn files(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }
}

fn left(lines: u64) -> Left {
    Left { lines, missing: 0, is_rest_unread: false, fault: None }
}

#[test]
fn what_is_under_way_is_there_from_the_beginning_of_the_end_until_it_has_its_result() {
    let place = Place::new();
    let mut leftovers = place.leftovers(4);
    leftovers.settle(2, false);
    assert_eq!(place.lines(), None, "nothing is left yet");
    leftovers.begin();
    place.is(&["l1", "l3", "l4"]);
    leftovers.settle(3, false);
    place.is(&["l1", "l4"]);
    leftovers.settle(1, true);
    leftovers.begin_rest(true);
    leftovers.write("r1");
    place.is(&["l1", "l4"]);
    leftovers.settle(4, false);
    place.is(&["l1"]);
    leftovers.write("r2");
    leftovers.end_rest();
    place.is(&["l1", "r1", "r2"]);
    assert_eq!(leftovers.finish(false), left(3));
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), "l1\nr1\nr2\n");
    assert_eq!(place.files(), 1);
}

#[test]
fn the_rest_of_an_open_input_is_there_line_by_line() {
    let place = Place::new();
    let mut leftovers = place.leftovers(1);
    leftovers.begin();
    leftovers.begin_rest(false);
    leftovers.write("r1");
    place.is(&["l1", "r1"]);
    leftovers.settle(1, false);
    leftovers.write("r2");
    place.is(&["r1", "r2"]);
    assert_eq!(leftovers.finish(false), left(2));
}

#[test]
fn what_is_left_over_before_the_end_is_there_at_once_and_stays() {
    let place = Place::new();
    let mut leftovers = place.leftovers(3);
    leftovers.settle(2, true);
    place.is(&["l2"]);
    leftovers.settle(3, true);
    leftovers.begin();
    place.is(&["l2", "l3", "l1"]);
    leftovers.settle(1, false);
    assert_eq!(leftovers.finish(false), left(2));
    place.is(&["l2", "l3"]);
}

#[test]
fn a_crawl_that_leaves_nothing_says_so_with_an_empty_file() {
    let place = Place::new();
    std::fs::write(place.path(), "of yesterday\n").unwrap();
    let mut leftovers = place.leftovers(1);
    assert_eq!(place.lines(), None, "yesterday's lines are no longer left");
    leftovers.settle(1, false);
    assert_eq!(leftovers.finish(false), left(0));
    place.is(&[]);
}

#[test]
fn a_place_that_has_vanished_is_told_with_the_number_of_lines() {
    let place = Place::new();
    let mut leftovers = place.leftovers(2);
    leftovers.begin();
    leftovers.begin_rest(true);
    leftovers.write("r1");
    std::fs::remove_dir_all(place.0.path()).unwrap();
    let left = leftovers.finish(false);
    assert!(left.fault.is_some() && (left.lines, left.missing) == (2, 1), "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_a_readers_rights_are_those_of_any_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let target = place.0.path().join("target.txt");
    std::fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, place.path()).unwrap();
    let mut leftovers = place.leftovers(1);
    leftovers.begin();
    assert_eq!(leftovers.finish(false), left(1));
    place.is(&["l1"]);
    assert!(target.is_file() && place.path().is_symlink());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    std::fs::write(place.0.path().join("any"), "").unwrap();
    assert_eq!(mode(&target), mode(&place.0.path().join("any")));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_told_with_the_number_of_lines() {
    let mut leftovers = Leftovers::to(Box::new(std::fs::File::create("/dev/full").unwrap()));
    leftovers.add(1, "l1".into());
    leftovers.begin();
    leftovers.write("r1");
    let left = leftovers.finish(false);
    assert!(left.fault.unwrap().contains("No space") && (left.lines, left.missing) == (0, 2));
}
