"""Networks: from an observation's parts to the heads' logits and a value."""
