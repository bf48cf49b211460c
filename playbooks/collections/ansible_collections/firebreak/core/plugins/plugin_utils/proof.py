"""Says to an operator which rules stand without deciding."""

from __future__ import annotations

from ansible_collections.firebreak.core.plugins.plugin_utils import flows

MAX_WARNINGS = 10


def override(proof, unreached):
    """The same with what the path of the packets shows, which outweighs what pf would decide."""
    unmet = {each["tracker"]: dict(each, level="unreachable_path") for each in unreached}
    return [unmet.pop(each["tracker"], each) for each in proof] + list(unmet.values())


def list_warnings(proof, batch):
    """A sentence for each flow of the batch (a mapping by tracker) whose packets may pass."""
    found = [each for each in proof if each["level"] != "decides"]
    told = [describe(each, batch[each["tracker"]]) for each in found[:MAX_WARNINGS]]
    more = len(found) - len(told)
    if more == 0:
        return told
    return told + ["%d more %s and may not decide" % (more, "rule stands" if more == 1 else "rules stand")]


def describe(proof, flow):
    effect = "it is not known whether it decides" if proof["level"] == "listed" else "its packets are not stopped"
    return "%s: the rule stands, but %s: %s" % (flows.describe(flow), effect, proof["message"])
