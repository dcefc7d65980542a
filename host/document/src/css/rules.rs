//! The selector grammar: which pseudo-classes there are, and the words for what is wrong.

use cssparser::{ParseError, ParseErrorKind, ToCss};
use html5ever::{LocalName, Namespace};
use precomputed_hash::PrecomputedHash;
use selectors::parser::{NonTSPseudoClass, Parser, PseudoElement, SelectorImpl, SelectorParseErrorKind as Wrong};
use std::fmt;

/// The types that selectors are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Names;

impl SelectorImpl for Names {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Text;
    type Identifier = Name;
    type LocalName = Name;
    type NamespaceUrl = Namespace;
    type NamespacePrefix = Name;
    type BorrowedNamespaceUrl = Namespace;
    type BorrowedLocalName = Name;
    type NonTSPseudoClass = PseudoClass;
    type PseudoElement = NoPseudoElement;
}

/// A string in a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Text {
    fn to_css<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        cssparser::serialize_string(&self.0, out)
    }
}

/// A name in a selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name(pub(super) LocalName);

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(LocalName::from(name))
    }
}

impl ToCss for Name {
    fn to_css<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl PrecomputedHash for Name {
    fn precomputed_hash(&self) -> u32 {
        self.0.precomputed_hash()
    }
}

/// A pseudo-class that depends on more than the structure of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PseudoClass {
    /// `:contains("text")`: the text of the element contains this one.
    Contains(String),
    /// `:link`: an element that links to somewhere.
    Link,
    /// `:checked`.
    Checked,
    /// `:disabled`.
    Disabled,
    /// `:enabled`.
    Enabled,
    /// One that no parsed page can match, such as `:hover`.
    Never,
}

impl ToCss for PseudoClass {
    fn to_css<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        match self {
            Self::Contains(text) => {
                out.write_str(":contains(")?;
                cssparser::serialize_string(text, out)?;
                out.write_str(")")
            }
            Self::Link => out.write_str(":link"),
            Self::Checked => out.write_str(":checked"),
            Self::Disabled => out.write_str(":disabled"),
            Self::Enabled => out.write_str(":enabled"),
            Self::Never => out.write_str(":hover"),
        }
    }
}

impl NonTSPseudoClass for PseudoClass {
    fn is_active_or_hover(&self) -> bool {
        false
    }

    fn is_user_action_state(&self) -> bool {
        false
    }
}

/// Pseudo-elements are taken off before a selector is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPseudoElement {}

impl ToCss for NoPseudoElement {
    fn to_css<W: fmt::Write>(&self, _: &mut W) -> fmt::Result {
        match *self {}
    }
}

impl PseudoElement for NoPseudoElement {}

/// The grammar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules;

impl<'i> Parser<'i> for Rules {
    type Impl = Names;
    type Error = Wrong;

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_has(&self) -> bool {
        true
    }

    fn parse_nth_child_of(&self) -> bool {
        true
    }

    fn allow_forgiving_selectors(&self) -> bool {
        false
    }

    fn parse_non_ts_pseudo_class(&self, name: &str) -> Result<PseudoClass, ParseError<Wrong>> {
        match name.to_ascii_lowercase().as_str() {
            "link" => Ok(PseudoClass::Link),
            "checked" => Ok(PseudoClass::Checked),
            "disabled" => Ok(PseudoClass::Disabled),
            "enabled" => Ok(PseudoClass::Enabled),
            "hover" | "active" | "focus" | "visited" | "target" => Ok(PseudoClass::Never),
            _ => Err(ParseError::custom(Wrong::UnsupportedPseudoClassOrElement)),
        }
    }

    fn parse_non_ts_functional_pseudo_class(
        &self,
        name: &str,
        arguments: &mut cssparser::Parser<'i>,
        _: bool,
    ) -> Result<PseudoClass, ParseError<Wrong>> {
        match name.eq_ignore_ascii_case("contains") {
            true => Ok(PseudoClass::Contains(arguments.expect_ident_or_string()?.as_ref().to_owned())),
            false => Err(ParseError::custom(Wrong::UnsupportedPseudoClassOrElement)),
        }
    }
}

/// Says in words what is wrong with a selector.
pub(super) fn reason(error: &ParseError<Wrong>) -> String {
    match &error.kind {
        ParseErrorKind::Basic(_) => "unexpected character or end".to_owned(),
        ParseErrorKind::Custom(wrong) => wording(wrong).to_owned(),
    }
}

fn wording(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::EmptySelector => "a selector is missing",
        Wrong::DanglingCombinator => "a selector is missing after the combinator",
        Wrong::UnsupportedPseudoClassOrElement => "unknown pseudo-class",
        Wrong::ClassNeedsIdent => "a class name is missing after the dot",
        Wrong::ExpectedNamespace => "unknown namespace prefix",
        Wrong::NoQualifiedNameInAttributeSelector
        | Wrong::UnexpectedTokenInAttributeSelector
        | Wrong::ExpectedBarInAttr
        | Wrong::BadValueInAttr
        | Wrong::InvalidQualNameInAttr => "malformed attribute selector",
        Wrong::PseudoElementExpectedColon | Wrong::PseudoElementExpectedIdent | Wrong::NoIdentForPseudo => {
            "a name is missing after the colon"
        }
        Wrong::NonCompoundSelector
        | Wrong::NonPseudoElementAfterSlotted
        | Wrong::InvalidPseudoElementAfterSlotted
        | Wrong::InvalidPseudoElementInsideWhere
        | Wrong::InvalidState
        | Wrong::UnexpectedIdent
        | Wrong::ExplicitNamespaceUnexpectedToken => "malformed selector",
    }
}
