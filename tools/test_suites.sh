# The suites of `make test`, in their order; sourced by tools/test.sh. Each is a function that fails when one of its steps does.
suites="build generators house c c_clang c_sanitize lint web api_sqlite api_postgres crash e2e sanitize fuzz"

suite_build() {
    cmake -S . -B build -G Ninja
    cmake --build build
    make --no-print-directory web tests/node_modules/.installed
    make_test_client
}

make_test_client() {
    mkdir -p tests/generated
    /usr/bin/python3 -B tools/generate_api.py --typescript tests/generated/api.ts openapi/*.yaml
    /usr/bin/python3 -B tools/generate_api.py --merge tests/generated/openapi.json openapi/*.yaml
}

suite_generators() {
    /usr/bin/python3 -B tools/test_generators.py
}

suite_house() {
    /usr/bin/python3 -B tools/check_house.py --build build
}

# Runs the tests of one build, with a PostgreSQL of their own beside.
run_c_tests() {
    cluster=$(mktemp -d)
    trap 'tools/postgres_cluster.sh stop "$cluster"; rm -rf "$cluster"' EXIT
    FOLKMOOT_TEST_POSTGRES=$(tools/postgres_cluster.sh start "$cluster" --no-fsync)
    export FOLKMOOT_TEST_POSTGRES
    ctest --test-dir "$1" --output-on-failure
}

suite_c() {
    run_c_tests build
}

suite_c_clang() {
    cmake -S . -B build-clang -G Ninja -DCMAKE_C_COMPILER=clang
    cmake --build build-clang
}

suite_c_sanitize() {
    cmake -S . -B build-sanitize -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DFOLKMOOT_SANITIZE=ON
    cmake --build build-sanitize
    rm -rf build-sanitize/web && cp -r build/web build-sanitize/web
    run_c_tests build-sanitize
}

suite_lint() {
    tools/lint.sh
}

suite_web() {
    (cd pwa && npm run --silent check && npm test --silent && npm run --silent test:browser)
    (cd tests && npm run --silent typecheck)
}

suite_api_sqlite() {
    cd tests && FOLKMOOT_TEST_DATABASE=sqlite npm test --silent
}

suite_api_postgres() {
    cd tests && FOLKMOOT_TEST_DATABASE=postgres npm test --silent
}

# All that runs the program, once more with the program under AddressSanitizer and UndefinedBehaviorSanitizer.
suite_sanitize() {
    export FOLKMOOT_BINARY=../build-sanitize/folkmoot CRASH_ROUNDS=${CRASH_ROUNDS:-6}
    cd tests
    for database in sqlite postgres; do
        FOLKMOOT_TEST_DATABASE=$database npm test --silent
        FOLKMOOT_TEST_DATABASE=$database npm run --silent crash
    done
    npm run --silent e2e
}

suite_crash() {
    cd tests
    FOLKMOOT_TEST_DATABASE=sqlite npm run --silent crash
    FOLKMOOT_TEST_DATABASE=postgres npm run --silent crash
}

suite_e2e() {
    cd tests && npm run --silent e2e
}

suite_fuzz() {
    tools/fuzz.sh 5
}
