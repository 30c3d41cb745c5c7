"""The bucket of our tests signs as Amazon's own example does, so what it believes is right."""

from __future__ import annotations

from tests.builtin.bucket import signature

EXAMPLE = """AWS4-HMAC-SHA256
20130524T000000Z
20130524/us-east-1/s3/aws4_request
7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"""
"""The string to sign of "GET Object" in the S3 reference, "Signature Calculations"."""


def test_the_published_example_has_the_published_signature() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # Amazon's own, of no account
    scope = ["20130524", "us-east-1", "s3", "aws4_request"]
    assert signature(secret, scope, EXAMPLE) == (
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
