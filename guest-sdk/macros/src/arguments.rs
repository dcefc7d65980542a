//! What stands in the attribute's parentheses.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, ExprUnary, Ident, Lit, LitStr, Result, Token, UnOp};

const KNOWN: &str = "include, exclude, priority, instead_of, name, version or checks";

/// The arguments of the attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) include: Vec<LitStr>,
    pub(crate) exclude: Vec<LitStr>,
    pub(crate) priority: Option<i32>,
    pub(crate) instead_of: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    /// What the check looks at: pages alone, or initialisations too where nothing is said.
    pub(crate) checks: Option<LitStr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        for Argument { name, value } in Punctuated::<Argument, Token![,]>::parse_terminated(input)? {
            if seen.contains(&name) {
                return Err(Error::new(name.span(), format!("{name} is given twice")));
            }
            match name.to_string().as_str() {
                "include" => arguments.include = texts(&value)?,
                "exclude" => arguments.exclude = texts(&value)?,
                "priority" => arguments.priority = Some(number(&value)?),
                "instead_of" => arguments.instead_of = Some(text(&value)?),
                "name" => arguments.name = Some(text(&value)?),
                "version" => arguments.version = Some(text(&value)?),
                "checks" => arguments.checks = Some(pages(text(&value)?)?),
                other => {
                    return Err(Error::new(name.span(), format!("unknown argument {other}: expected {KNOWN}")));
                }
            }
            seen.push(name);
        }
        Ok(arguments)
    }
}

struct Argument {
    name: Ident,
    value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self { name, value: input.parse()? })
    }
}

fn texts(value: &Expr) -> Result<Vec<LitStr>> {
    if let Expr::Array(list) = value {
        return list.elems.iter().map(text).collect();
    }
    Ok(vec![text(value)?])
}

fn text(value: &Expr) -> Result<LitStr> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
        return Ok(text.clone());
    }
    Err(Error::new_spanned(value, "expected a string literal"))
}

/// The one thing that a check can say that it looks at.
fn pages(checks: LitStr) -> Result<LitStr> {
    match checks.value() == "pages" {
        true => Ok(checks),
        false => Err(Error::new(checks.span(), "checks can be \"pages\" only: the check never looks at initialisations")),
    }
}

fn number(value: &Expr) -> Result<i32> {
    if let Expr::Lit(ExprLit { lit: Lit::Int(digits), .. }) = value {
        return digits.base10_parse();
    }
    if let Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) = value {
        return Ok(-number(expr)?);
    }
    Err(Error::new_spanned(value, "expected a whole number"))
}
