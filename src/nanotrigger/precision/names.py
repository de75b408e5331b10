"""Names by which commands know budgets: keys of the command line, and the folder of the front."""

UNITS = ("aluts", "ffs", "share", "ebops")
EXCLUSIVE_KEYS = (tuple(f"budget.{unit}" for unit in UNITS),)  # groups; one key takes the place of the others
TARGET_KEY = "budget.target"  # of the firmware that a budget is for
FRONT = "front"  # folder of the checkpoints
