"""Small servers, each sound or with exactly one flaw, to prove the security probes on."""
