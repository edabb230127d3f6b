# The three things written once (openapi/*.yaml, queries.sql, migrations/) and the rules that generate C from them.
find_program(PYTHON /usr/bin/python3 REQUIRED NO_DEFAULT_PATH) # Debian's: the one that has python3-yaml
file(GLOB GENERATE_API CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/generate_api*.py)

# generate_api(name): openapi/<name>.yaml -> generated/<name>/api.{h,c}
function(generate_api name)
  set(out ${GENERATED}/${name})
  add_custom_command(
    OUTPUT ${out}/api.h ${out}/api.c
    COMMAND ${PYTHON} -B ${CMAKE_SOURCE_DIR}/tools/generate_api.py --c ${out} ${CMAKE_SOURCE_DIR}/openapi/${name}.yaml
    DEPENDS ${CMAKE_SOURCE_DIR}/openapi/${name}.yaml ${CMAKE_SOURCE_DIR}/openapi/core.yaml
            ${GENERATE_API}
    COMMENT "api ${name}" VERBATIM)
endfunction()

# generate_queries(name, file): a queries.sql -> generated/<name>/queries.{h,c}
function(generate_queries name file)
  set(out ${GENERATED}/${name})
  add_custom_command(
    OUTPUT ${out}/queries.h ${out}/queries.c
    COMMAND ${PYTHON} -B ${CMAKE_SOURCE_DIR}/tools/generate_queries.py --name ${name} --out ${out} ${file}
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/tools/generate_queries.py
    COMMENT "queries ${name}" VERBATIM)
endfunction()

# generate_migrations(name): migrations/<name>/*.sql -> generated/<name>/migrations.{h,c}
function(generate_migrations name)
  set(out ${GENERATED}/${name})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/migrations/${name}/*.sql)
  add_custom_command(
    OUTPUT ${out}/migrations.c ${out}/migrations.h
    COMMAND ${PYTHON} -B ${CMAKE_SOURCE_DIR}/tools/generate_migrations.py --name ${name} --out ${out} ${files}
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/generate_migrations.py
    COMMENT "migrations ${name}" VERBATIM)
endfunction()

# link_sealed_module(target, module): the module's objects as one, of which only its descriptor <module>_module can be seen.
# So no module can use a function of another one, and names need no prefix.
function(link_sealed_module target module)
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/${module}_whole.o)
  set(sealed ${CMAKE_CURRENT_BINARY_DIR}/${module}_sealed.o)
  add_custom_command(
    OUTPUT ${sealed}
    COMMAND ${CMAKE_LINKER} -r -o ${whole} $<TARGET_OBJECTS:module_${module}_objects>
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=${module}_module ${whole} ${sealed}
    DEPENDS module_${module}_objects $<TARGET_OBJECTS:module_${module}_objects>
    COMMENT "seal ${module}" COMMAND_EXPAND_LISTS VERBATIM)
  target_sources(${target} PRIVATE ${sealed})
  set_source_files_properties(${sealed} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()
