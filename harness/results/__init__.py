"""Results folders: the only code that knows their file names and formats."""

from harness.results.folder import AUDIT_FILE, RUN_FILE, SWAP_FILE, SWAP_FOLDER, TRIAL_FILE, latest, read_audit, read_run, read_selftest, read_swap, read_trials, sha256, slug, trial_folder, write_atomically, write_audit, write_json, write_run, write_selftest, write_swap, write_trial
from harness.results.samples import RESOURCES, TOKENS, TURNS, read_emissions, read_lines, read_resources, read_summary, read_tokens, read_turns, write_samples

__all__ = ["AUDIT_FILE", "RESOURCES", "RUN_FILE", "SWAP_FILE", "SWAP_FOLDER", "TOKENS", "TRIAL_FILE", "TURNS", "latest", "read_audit", "read_emissions", "read_lines", "read_resources", "read_run", "read_selftest", "read_summary", "read_swap", "read_tokens", "read_trials", "read_turns", "sha256", "slug", "trial_folder", "write_atomically", "write_audit", "write_json", "write_run", "write_samples", "write_selftest", "write_swap", "write_trial"]
