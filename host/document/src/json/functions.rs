//! The functions of JMESPath, with the results of Python's `jmespath`.

use super::eval::{Eval, Told};
use super::value::{Num, Val};
use carousel_core::json::Kind;
use std::cmp::Ordering;

type Arguments<'a, 'e> = &'a [Val<'e>];

impl<'e> Eval<'_, 'e> {
    /// Calls a function.
    pub(super) fn call(&self, name: &str, arguments: Arguments<'_, 'e>) -> Told<Val<'e>> {
        let page = self.page;
        match (name, arguments) {
            ("abs", [number]) => Ok(match self.number(name, number)? {
                Num::Int(number) => Num::Int(number.saturating_abs()).into(),
                Num::Float(number) => Val::Float(number.abs()),
            }),
            ("ceil", [number]) => Ok(whole(self.number(name, number)?, f64::ceil)),
            ("floor", [number]) => Ok(whole(self.number(name, number)?, f64::floor)),
            ("avg", [list]) => {
                let (sum, count) = self.sum(name, list)?;
                Ok(if count == 0 { Val::Null } else { Val::Float(sum.float() / count as f64) })
            }
            ("sum", [list]) => Ok(self.sum(name, list)?.0.into()),
            ("contains", [subject, wanted]) => self.contains(subject, wanted),
            ("starts_with", [text, start]) => Ok(Val::Bool(self.string(name, text)?.starts_with(&self.string(name, start)?))),
            ("ends_with", [text, end]) => Ok(Val::Bool(self.string(name, text)?.ends_with(&self.string(name, end)?))),
            ("join", [glue, list]) => self.join(&self.string(name, glue)?, list),
            ("keys", [object]) => {
                let members = object.members(page).ok_or_else(|| self.wrong(name, "an object", object))?;
                self.list(members.map(|(name, _)| Ok(self.text(name.into_owned()))))
            }
            ("values", [object]) => {
                let members = object.members(page).ok_or_else(|| self.wrong(name, "an object", object))?;
                self.list(members.map(|(_, value)| Ok(value)))
            }
            ("length", [value]) => self.count(value),
            ("map", [Val::Expr(ast), list]) => self.list(self.items(name, list)?.map(|item| self.find(&item, ast))),
            ("max", [list]) => self.best(name, list, |item| Ok(item.clone()), Ordering::is_gt),
            ("min", [list]) => self.best(name, list, |item| Ok(item.clone()), Ordering::is_lt),
            ("max_by", [list, Val::Expr(ast)]) => self.best(name, list, |item| self.find(item, ast), Ordering::is_gt),
            ("min_by", [list, Val::Expr(ast)]) => self.best(name, list, |item| self.find(item, ast), Ordering::is_lt),
            ("sort", [list]) => self.sorted(name, list, |item| Ok(item.clone())),
            ("sort_by", [list, Val::Expr(ast)]) => self.sorted(name, list, |item| self.find(item, ast)),
            ("merge", [_, ..]) => self.merge(arguments),
            ("not_null", [_, ..]) => Ok(arguments.iter().find(|argument| !argument.is_null()).cloned().unwrap_or(Val::Null)),
            ("reverse", [value]) => self.reverse(value),
            ("to_array", [value]) if value.kind(page) == Some(Kind::Array) => Ok(value.clone()),
            ("to_array", [value]) => self.list([Ok(value.clone())].into_iter()),
            ("to_number", [value]) => Ok(self.to_number(value)),
            ("to_string", [value]) if value.kind(page) == Some(Kind::String) => Ok(value.clone()),
            ("to_string", [value]) => {
                let mut text = String::new();
                if !value.write(page, &mut text, self.room()) {
                    self.allocate(usize::MAX);
                }
                Ok(self.text(text))
            }
            ("type", [value]) => Ok(Val::text(type_of(value.kind(page)).to_owned())),
            _ => Err(mistaken(name, arguments.len())),
        }
    }

    fn wrong(&self, function: &str, expected: &str, found: &Val<'_>) -> String {
        format!("{function}() takes {expected}, not {}", found.kind(self.page).map_or("an expression", Kind::told))
    }

    fn number(&self, function: &str, value: &Val<'_>) -> Told<Num> {
        value.number(self.page).ok_or_else(|| self.wrong(function, "a number", value))
    }

    fn string(&self, function: &str, value: &Val<'_>) -> Told<String> {
        let text = value.string(self.page).ok_or_else(|| self.wrong(function, "text", value))?;
        self.allocate(text.len());
        Ok(text.into_owned())
    }

    fn items<'v>(&'v self, function: &str, value: &'v Val<'e>) -> Told<impl Iterator<Item = Val<'e>> + 'v> {
        let items = value.items(self.page).ok_or_else(|| self.wrong(function, "a list", value))?;
        Ok(items.inspect(|_| self.step()))
    }

    fn sum(&self, function: &str, list: &Val<'e>) -> Told<(Num, usize)> {
        let (mut sum, mut count) = (Num::Int(0), 0);
        for item in self.items(function, list)? {
            let number = item.number(self.page).ok_or_else(|| self.wrong(function, "a list of numbers", &item))?;
            count += 1;
            sum = match (sum, number) {
                (Num::Int(a), Num::Int(b)) => a.checked_add(b).map_or(Num::Float(a as f64 + b as f64), Num::Int),
                (a, b) => Num::Float(a.float() + b.float()),
            };
        }
        Ok((sum, count))
    }

    fn contains(&self, subject: &Val<'e>, wanted: &Val<'e>) -> Told<Val<'e>> {
        if let Some(text) = subject.string(self.page) {
            self.allocate(text.len());
            return Ok(Val::Bool(wanted.string(self.page).is_some_and(|wanted| text.contains(&*wanted))));
        }
        let items = subject.items(self.page).ok_or_else(|| self.wrong("contains", "a list or text", subject))?;
        Ok(Val::Bool({ items }.any(|item| item.equals(wanted, self.page, &|| self.step()))))
    }

    fn join(&self, glue: &str, list: &Val<'e>) -> Told<Val<'e>> {
        let mut text = String::new();
        let mut before = "";
        for item in self.items("join", list)? {
            let part = item.string(self.page).ok_or_else(|| self.wrong("join", "a list of texts", &item))?;
            self.allocate(2 * (before.len() + part.len()));
            text.push_str(std::mem::replace(&mut before, glue));
            text.push_str(&part);
        }
        Ok(Val::text(text))
    }

    fn count(&self, value: &Val<'e>) -> Told<Val<'e>> {
        let count = match value.string(self.page) {
            Some(text) => Some(text.chars().count()),
            None => self.length(value).or_else(|| Some(value.members(self.page)?.inspect(|_| self.step()).count())),
        };
        let count = count.ok_or_else(|| self.wrong("length", "a list, an object or text", value))?;
        Ok(Num::Int(count as i128).into())
    }

    /// The item whose key is the best one; the first of several.
    fn best(
        &self,
        function: &str,
        list: &Val<'e>,
        key: impl Fn(&Val<'e>) -> Told<Val<'e>>,
        is_better: fn(Ordering) -> bool,
    ) -> Told<Val<'e>> {
        let mut best: Option<(Val<'e>, Val<'e>)> = None;
        for item in self.items(function, list)? {
            let key = key(&item)?;
            let is_best = match &best {
                Some((known, _)) => is_better(self.order(&key, known).ok_or_else(|| self.unordered(function, &key))?),
                None if matches!(key.kind(self.page), Some(Kind::Number | Kind::String)) => true,
                None => return Err(self.unordered(function, &key)),
            };
            if is_best {
                best = Some((key, item));
            }
        }
        Ok(best.map_or(Val::Null, |(_, item)| item))
    }

    fn unordered(&self, function: &str, key: &Val<'_>) -> String {
        self.wrong(function, "a list of numbers or one of texts", key)
    }

    fn sorted(&self, function: &str, list: &Val<'e>, key: impl Fn(&Val<'e>) -> Told<Val<'e>>) -> Told<Val<'e>> {
        let mut keyed = Vec::new();
        for item in self.items(function, list)? {
            self.allocate(3 * size_of::<(Val<'_>, Val<'_>)>());
            let key = key(&item)?;
            let first = keyed.first().map_or(&key, |(first, _)| first);
            self.order(first, &key).ok_or_else(|| self.unordered(function, &key))?;
            keyed.push((key, item));
        }
        keyed.sort_by(|(a, _), (b, _)| self.order(a, b).unwrap_or(Ordering::Equal));
        self.list(keyed.into_iter().map(|(_, item)| Ok(item)))
    }

    fn merge(&self, objects: Arguments<'_, 'e>) -> Told<Val<'e>> {
        let mut members = Vec::new();
        for object in objects {
            let own = object.members(self.page).ok_or_else(|| self.wrong("merge", "objects", object))?;
            for (name, value) in own {
                self.allocate(2 * size_of::<(String, Val<'_>)>());
                members.push((name.into_owned(), value));
            }
        }
        Ok(self.object(members))
    }

    fn reverse(&self, value: &Val<'e>) -> Told<Val<'e>> {
        if let Some(text) = value.string(self.page) {
            return Ok(self.text(text.chars().rev().collect()));
        }
        let length = self.length(value).ok_or_else(|| self.wrong("reverse", "a list or text", value))?;
        self.allocate(2 * length * size_of::<Val<'_>>());
        let items: Vec<Val<'e>> = self.items("reverse", value)?.collect();
        self.list(items.into_iter().rev().map(Ok))
    }

    fn to_number(&self, value: &Val<'e>) -> Val<'e> {
        if value.number(self.page).is_some() {
            return value.clone();
        }
        let Some(text) = value.string(self.page) else { return Val::Null };
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        match Num::read(text) {
            Num::Float(number) if !number.is_finite() => Val::Null,
            number if is_plain => number.into(),
            Num::Int(_) | Num::Float(_) => Val::Null,
        }
    }
}

fn whole<'e>(number: Num, round: fn(f64) -> f64) -> Val<'e> {
    match number {
        Num::Int(_) => number.into(),
        Num::Float(number) => match round(number) {
            rounded if rounded.abs() < i64::MAX as f64 => Val::Int(rounded as i64),
            rounded => Val::Float(rounded),
        },
    }
}

fn type_of(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Null) => "null",
        Some(Kind::Bool) => "boolean",
        Some(Kind::Number) => "number",
        Some(Kind::String) => "string",
        Some(Kind::Array) => "array",
        Some(Kind::Object) => "object",
        None => "expref",
    }
}

/// The functions, and how many arguments they take.
const FUNCTIONS: [(&str, &str); 26] = [
    ("abs", "1"),
    ("avg", "1"),
    ("ceil", "1"),
    ("contains", "2"),
    ("ends_with", "2"),
    ("floor", "1"),
    ("join", "2"),
    ("keys", "1"),
    ("length", "1"),
    ("map", "an expression (&…) and a list as"),
    ("max", "1"),
    ("max_by", "a list and an expression (&…) as"),
    ("merge", "1 or more"),
    ("min", "1"),
    ("min_by", "a list and an expression (&…) as"),
    ("not_null", "1 or more"),
    ("reverse", "1"),
    ("sort", "1"),
    ("sort_by", "a list and an expression (&…) as"),
    ("starts_with", "2"),
    ("sum", "1"),
    ("to_array", "1"),
    ("to_number", "1"),
    ("to_string", "1"),
    ("type", "1"),
    ("values", "1"),
];

fn mistaken(name: &str, count: usize) -> String {
    match FUNCTIONS.iter().find(|(known, _)| *known == name) {
        Some((_, wanted)) => format!("{name}() takes {wanted} arguments, not these {count}"),
        None => format!("there is no function {name}()"),
    }
}
