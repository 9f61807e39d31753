# Only what ./jalon does not do. The environment must exist: ./jalon check
UV = $(firstword $(wildcard .cache/boot-*/bin/uv) uv)
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command "make lock"

.PHONY: lock
# Keeps the versions that are locked; `make lock UPGRADE=--upgrade` moves them all.
lock:
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements/base.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev -c requirements/base.txt -o requirements/dev.txt
	@! grep -n http requirements/*.txt || (echo "the locks must hold no address" && false)
