# Installs fornix into a fresh folder, makes a node with `fornix new-node`, builds it and a second one
# (outside/) against the installed SDK, and asks the installed fornix about them.
set(flags "-Wall -Wextra -Wpedantic -Wconversion -Werror")
if(SANITIZE)
	string(APPEND flags " -fsanitize=${SANITIZE}")
endif()
set(prefix ${WORK}/prefix)
set(fornix ${prefix}/bin/fornix)

# run(VARIABLE COMMAND...): runs it, stops the test when it fails, gives stdout and stderr.
function(run variable)
	execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
	if(NOT code EQUAL 0)
		list(JOIN ARGN " " command)
		message(FATAL_ERROR "${command}\nended with ${code}:\n${out}")
	endif()
	set(${variable} "${out}" PARENT_SCOPE)
endfunction()

# expect(TEXT REGEX): the text must match.
function(expect text regex)
	if(NOT text MATCHES "${regex}")
		message(FATAL_ERROR "expected \"${regex}\" in:\n${text}")
	endif()
endfunction()

function(build source)
	run(out ${CMAKE_COMMAND} -G ${GENERATOR} -S ${source} -B ${source}/build
		-DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_INSTALL_PREFIX=${prefix}
		-DCMAKE_C_COMPILER=${CC} "-DCMAKE_C_FLAGS=${flags}")
	run(out ${CMAKE_COMMAND} --build ${source}/build)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(out ${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${prefix})

# a node as new-node writes it
run(out ${fornix} new-node normalizer/invert --into ${WORK}/node)
execute_process(COMMAND ${fornix} new-node normalizer/invert --into ${WORK}/node
	RESULT_VARIABLE code ERROR_VARIABLE out)
if(NOT code EQUAL 2)
	message(FATAL_ERROR "new-node over existing files ended with ${code}: ${out}")
endif()
expect("${out}" "is there already")
build(${WORK}/node)
run(out ${NM} -D --defined-only ${WORK}/node/build/normalizer_invert.so)
string(REGEX MATCHALL "fx_[a-z_]+" symbols "${out}")
list(REMOVE_DUPLICATES symbols)
if(NOT symbols STREQUAL "fx_node_normalizer_invert")
	message(FATAL_ERROR "the module exports ${symbols}")
endif()

# a source, and a program that uses libfornix
file(COPY ${SOURCE}/outside DESTINATION ${WORK})
build(${WORK}/outside)
run(out ${WORK}/outside/build/uses_libfornix)
expect("${out}" "u16 24 bytes")

# found through FX_NODE_PATH ...
set(ENV{FX_NODE_PATH} ${WORK}/node/build:${WORK}/outside/build)
run(out ${fornix} nodes normalizer/invert)
expect("${out}" "normalizer/invert - .*white +0..255 .*default 255")
run(out ${fornix} check ${SOURCE}/outside/graph.yaml white=200)
expect("${out}" "right: 2 nodes, 1 edges")
run(out ${fornix} run ${SOURCE}/outside/graph.yaml white=200 --json --quiet)
expect("${out}" "\"complete\": true")
run(out ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/node/build)
expect("${out}" "100% tests passed")
execute_process(COMMAND ${fornix} check ${SOURCE}/outside/graph.yaml white=300
	RESULT_VARIABLE code ERROR_VARIABLE out)
expect("${code} ${out}" "^2 .*graph.yaml:14:14: work.white: 300 is not within 0..255")

# ... and, once installed, without it
set(ENV{FX_NODE_PATH})
run(out ${CMAKE_COMMAND} --install ${WORK}/node/build)
run(out ${fornix} nodes)
expect("${out}" "\nnormalizer\n.*  normalizer/invert ")
file(REMOVE_RECURSE ${WORK})
