# Copymend's hub from a release: its files go to a bucket, and its CloudFormation stack is made of them.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

variable "release" {
  description = "The folder that the release was downloaded to, with its checksums checked."
  type        = string
}

variable "code_version" {
  description = "The release's version, such as 0.1.0. The template takes no other than its own."
  type        = string
}

variable "code_bucket" {
  description = "The bucket that takes the release, in the stack's Region."
  type        = string
}

variable "architecture" {
  description = "The processor that the functions run on: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "stack_name" {
  description = "The stack's name, of 34 characters at most."
  type        = string
  default     = "copymend"
}

variable "parameters" {
  description = "Parameters of the template, such as { Mode = \"repair\" }. Lists are one text with commas."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of the stack and of everything in it."
  type        = map(string)
  default     = { application = "copymend" }
}

data "aws_s3_bucket" "code" {
  bucket = var.code_bucket
}

# The files of the version before go only once the stack is updated: CloudFormation needs them where an update fails and is rolled back.
resource "aws_s3_object" "release" {
  for_each = toset([
    "copy-remediator-${var.architecture}.zip",
    "access-advisor-${var.architecture}.zip",
    "template.yaml",
  ])

  bucket      = data.aws_s3_bucket.code.id
  key         = "${var.code_version}/${each.value}"
  source      = "${var.release}/${each.value}"
  source_hash = filesha256("${var.release}/${each.value}")

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "copymend" {
  name         = var.stack_name
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.release["template.yaml"].key}"
  # The roles have names, and the template has a transform.
  capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags

  parameters = merge(var.parameters, {
    CodeBucket   = var.code_bucket
    CodeVersion  = var.code_version
    Architecture = var.architecture
  })

  depends_on = [aws_s3_object.release]
}

output "stack" {
  description = "The stack's outputs. member.yaml takes FunctionRoleArn, AdvisorRoleArn and BusArn."
  value       = aws_cloudformation_stack.copymend.outputs
}
