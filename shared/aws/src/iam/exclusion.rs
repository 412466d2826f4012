//! How `PolicyExclusionList` goes out.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

/// What the SDK writes: for a union of the query protocol it leaves out which of its members it is
/// (seen in aws-sdk-iam 1.133.0).
const WRITTEN: &str = "PolicyExclusionList.member.1.member=";
/// What IAM reads (IAM API reference, `SimulatePrincipalPolicy` and `PolicyIdentifier`, documented;
/// botocore writes it so).
const MEANT: &str = "PolicyExclusionList.member.1.PolicyType=";

/// Names the member of the one entry, which is a policy type. Once the SDK does so itself, nothing
/// is left to do.
#[derive(Debug)]
pub(super) struct NamesPolicyType;

impl Intercept for NamesPolicyType {
    fn name(&self) -> &'static str {
        "NamesPolicyType"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.body().bytes().unwrap_or_default();
        let body = std::str::from_utf8(body)?;
        if body.contains(WRITTEN) {
            let body = body.replacen(WRITTEN, MEANT, 1);
            request
                .headers_mut()
                .insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body);
        }
        Ok(())
    }
}
