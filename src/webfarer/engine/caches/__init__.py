"""Cache policies, one file each: what of a long sequence's keys and values stays in memory."""
