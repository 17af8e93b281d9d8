"""Every part and pair against the contract and audits."""
