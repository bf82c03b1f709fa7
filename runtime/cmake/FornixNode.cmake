# fornix_add_node(ROLE/METHOD FILE.c): in the tree, one of the built-in nodes; outside of it (after
# find_package(fornix)), a module that `fornix` finds through FX_NODE_PATH or lib/fornix/nodes.
function(fornix_add_node name source)
	string(REPLACE "/" "_" id ${name})
	if(TARGET fx_node)
		target_sources(fornix_nodes PRIVATE ${source})
		set_property(GLOBAL APPEND PROPERTY FORNIX_NODE_IDS ${id})
		return()
	endif()
	add_library(${id} MODULE ${source})
	target_link_libraries(${id} PRIVATE fornix::sdk)
	set_target_properties(${id} PROPERTIES PREFIX "" C_STANDARD 11 C_EXTENSIONS OFF
		C_VISIBILITY_PRESET hidden)
	install(TARGETS ${id} LIBRARY DESTINATION lib/fornix/nodes)
endfunction()
