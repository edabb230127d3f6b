# The commands of the README. `make run` and `make test` install what is missing first.
BUILD ?= build
DATA ?= var
WEB_SOURCES := $(shell find pwa -path pwa/node_modules -prune -o -path pwa/dist -prune -o -type f -print 2>/dev/null)
API_DOCUMENTS := $(wildcard openapi/*.yaml)

.PHONY: run test bench fuzz lint build web setup clean

run: setup build web
	@exec $(BUILD)/folkmoot --data $(DATA) serve

setup:
	@tools/setup.sh run

build: $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target folkmoot

$(BUILD)/build.ninja: CMakeLists.txt
	@cmake -S . -B $(BUILD) -G Ninja >/dev/null

web: $(BUILD)/web/index.html

# The web client: built when one of its files, or the API, has changed.
$(BUILD)/web/index.html: $(WEB_SOURCES) $(API_DOCUMENTS) $(wildcard tools/generate_api*.py) pwa/node_modules/.installed
	@/usr/bin/python3 -B tools/generate_api.py --typescript pwa/src/api/generated.ts $(API_DOCUMENTS)
	@cd pwa && npm run --silent build
	@rm -rf $(BUILD)/web && mkdir -p $(BUILD) && cp -r pwa/dist $(BUILD)/web && touch $@

%/node_modules/.installed: %/package-lock.json
	@cd $* && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed || \
		{ echo "npm could not fetch what $* needs. When this was the network, start the same command again." >&2; exit 1; }

test:
	@tools/setup.sh test
	@tools/test.sh $(SUITES)

bench: setup build web tests/node_modules/.installed
	@tools/setup.sh test
	@cmake --build $(BUILD)
	@cd tests && npm run --silent bench

fuzz:
	@tools/setup.sh test
	@tools/fuzz.sh $(or $(SECONDS),60)

lint:
	@tools/setup.sh test
	@tools/lint.sh

clean:
	rm -rf build build-* pwa/dist pwa/node_modules tests/node_modules tests/generated pwa/src/api/generated.ts
