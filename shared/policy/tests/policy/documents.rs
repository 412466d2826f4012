//! Reading documents: what is kept, what is refused, and where.

use copymend_policy::{Effect, ParseProblem, PolicyDocument, Version};

#[test]
fn every_element_is_read_and_every_byte_kept() {
    let text = " \r\n{ \"Statement\":[ {\"Resource\" : [\"*\"],\"Condition\":{\"ForAnyValue:StringLikeIfExists\":{\"aws:PrincipalTag/a\":[\"x\",1.50,true]}},\n\t\"NotPrincipal\":{\"AWS\":[\"AROAEXAMPLE\",\"111122223333\"],\"Service\":\"ec2.amazonaws.com\",\"Federated\":\"accounts.google.com\",\"CanonicalUser\":\"abc\"},\"NotAction\":\"kms:*\",\"Effect\":\"Deny\",\"Sid\":\"Enable IAM User Permissions\"} ],\"Version\":\"2012-10-17\",\"Id\":\"key-default-1\"}\n";
    let document = PolicyDocument::parse(text).unwrap();
    assert_eq!(document.as_str(), text);
    assert_eq!(document.version(), Version::V2012);
    assert_eq!(document.id(), Some("key-default-1"));
    let statement = &document.statements()[0];
    assert_eq!(statement.sid(), Some("Enable IAM User Permissions"));
    assert_eq!(statement.effect(), Effect::Deny);
    assert!(statement.actions().eq(["kms:*"]));
    assert!(statement.as_str().starts_with("{\"Resource\" :"));
    assert!(statement.as_str().ends_with("Permissions\"}"));
}

#[test]
fn a_document_without_version_is_of_2008() {
    let document = PolicyDocument::parse(r#"{"Statement":[]}"#).unwrap();
    assert_eq!(document.version(), Version::V2008);
    assert_eq!(document.version().to_string(), "2008-10-17");
}

#[test]
fn a_key_policy_statement_without_action_or_resource_is_kept() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"}}}"#;
    assert_eq!(PolicyDocument::parse(text).unwrap().statements().len(), 1);
}

#[test]
fn escapes_are_decoded() {
    let text = r#"{"Statement":{"Effect":"Allow","Sid":"a\u0041\ud83d\ude00\n\/\"\\"}}"#;
    let document = PolicyDocument::parse(text).unwrap();
    assert_eq!(document.statements()[0].sid(), Some("aA😀\n/\"\\"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn broken_documents_are_refused_where_they_break() {
    let deep = "[".repeat(100_000);
    let cases: [(&str, &str); 30] = [
        (
            "",
            "this is not JSON: the text ends too early, at line 1, column 1 (`$`)",
        ),
        (
            "{",
            "this is not JSON: the text ends too early, at line 1, column 2 (`$`)",
        ),
        ("[]", "this must be an object, at line 1, column 1 (`$`)"),
        (
            "{\"Statement\":[]} x",
            "text follows the end of the document, at line 1, column 18 (`$`)",
        ),
        (
            "{\"Statement\":[],}",
            "this is not JSON: a key in quotes was expected, at line 1, column 17 (`$`)",
        ),
        (
            "{\"Statement\":[]\n \"Id\":1}",
            "this is not JSON: `,` or `}` was expected, at line 2, column 2 (`$`)",
        ),
        (
            "{'Statement':[]}",
            "this is not JSON: a key in quotes was expected, at line 1, column 2 (`$`)",
        ),
        (
            "{\"Statement\":[1 2]}",
            "this is not JSON: `,` or `]` was expected, at line 1, column 17 (`$.Statement`)",
        ),
        (
            "{\"Statement\":01}",
            "this is not JSON: a number can't start with 0, at line 1, column 15 (`$.Statement`)",
        ),
        (
            "{\"Statement\":nul}",
            "this is not JSON: a value was expected, at line 1, column 14 (`$.Statement`)",
        ),
        (
            "{\"Id\":\"\\x\"}",
            "this is not JSON: this escape does not exist, at line 1, column 9 (`$.Id`)",
        ),
        (
            "{\"Id\":\"\\ud800\"}",
            "this is not JSON: a surrogate stands alone, at line 1, column 14 (`$.Id`)",
        ),
        (
            "{\"Id\":\"\\udc00\"}",
            "this is not JSON: a surrogate stands alone, at line 1, column 14 (`$.Id`)",
        ),
        (
            "{\"Id\":\"a\tb\"}",
            "a string holds an unescaped control character, at line 1, column 9 (`$.Id`)",
        ),
        (
            "{\"Id\":\"é\",\"Id\":\"b\"}",
            "the key `Id` appears twice in one object, at line 1, column 11 (`$`)",
        ),
        (
            "{\"Id\":\"a\",\"\\u0049d\":\"b\"}",
            "the key `Id` appears twice in one object, at line 1, column 11 (`$`)",
        ),
        (
            "{\"statement\":[]}",
            "`statement` is not an element of the policy language here, at line 1, column 2 (`$.statement`)",
        ),
        (
            "{\"Version\":\"2012-10-17\"}",
            "the element `Statement` is missing, at line 1, column 1 (`$`)",
        ),
        (
            "{\"Version\":\"2011-01-01\",\"Statement\":[]}",
            "`2011-01-01` is not a version of the policy language; it has 2008-10-17 and 2012-10-17, at line 1, column 12 (`$.Version`)",
        ),
        (
            "{\"Statement\":[{}]}",
            "the element `Effect` is missing, at line 1, column 15 (`$.Statement[0]`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"allow\"}]}",
            "this must be `Allow` or `Deny`, at line 1, column 25 (`$.Statement[0].Effect`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Actions\":\"*\"}]}",
            "`Actions` is not an element of the policy language here, at line 1, column 33 (`$.Statement[0].Actions`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"NotAction\":\"*\"}]}",
            "`Action` and `NotAction` exclude each other, at line 1, column 46 (`$.Statement[0].NotAction`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"*\",1]}]}",
            "this must be a string, at line 1, column 47 (`$.Statement[0].Action`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"111122223333\"}]}",
            "this must be `*` or an object, at line 1, column 45 (`$.Statement[0].Principal`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Aws\":\"*\"}}]}",
            "`Aws` is not an element of the policy language here, at line 1, column 46 (`$.Statement[0].Principal.Aws`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Condition\":{\"StringMatches\":{}}}]}",
            "`StringMatches` is not a condition operator, at line 1, column 46 (`$.Statement[0].Condition.StringMatches`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Condition\":{\"NullIfExists\":{}}}]}",
            "`NullIfExists` is not a condition operator, at line 1, column 46 (`$.Statement[0].Condition.NullIfExists`)",
        ),
        (
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Condition\":{\"Bool\":{\"k\":[null]}}}]}",
            "this must be a string, number or boolean, or a list of them, at line 1, column 58 (`$.Statement[0].Condition.Bool.k`)",
        ),
        (
            &deep,
            "values are nested deeper than 32 levels, at line 1, column 33 (`$[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]`)",
        ),
    ];
    for (text, expected) in cases {
        let error = PolicyDocument::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            expected,
            "{}",
            text.chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn a_key_twice_is_found_in_a_large_object_too() {
    let keys: Vec<String> = (0..5_000).map(|n| format!("\"k{n}\":\"v\"")).collect();
    let condition = |extra: &str| {
        format!(
            "{{\"Statement\":{{\"Effect\":\"Allow\",\"Condition\":{{\"StringEquals\":{{{}{extra}}}}}}}}}",
            keys.join(",")
        )
    };
    assert!(PolicyDocument::parse(&condition("")).is_ok());
    let error = PolicyDocument::parse(&condition(",\"k7\":1")).unwrap_err();
    assert_eq!(
        error.problem(),
        &ParseProblem::DuplicateKey("k7".to_owned())
    );
    assert_eq!(error.location().line(), 1);
}

#[test]
fn every_operator_is_known() {
    let bases = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnNotEquals",
        "ArnLike",
        "ArnNotLike",
    ];
    let parses = |operator: &str| {
        PolicyDocument::parse(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Condition":{{"{operator}":{{"k":"v"}}}}}}}}"#
        ))
        .is_ok()
    };
    for base in bases {
        for set in ["", "ForAllValues:", "ForAnyValue:"] {
            assert!(parses(&format!("{set}{base}")), "{set}{base}");
            assert!(
                parses(&format!("{set}{base}IfExists")),
                "{set}{base}IfExists"
            );
        }
    }
    assert!(parses("Null"));
    for unknown in [
        "",
        "IfExists",
        "ForAll:StringEquals",
        "ForAnyValue:",
        "StringEqualsIf",
        "BoolNot",
    ] {
        assert!(!parses(unknown), "{unknown}");
    }
}
