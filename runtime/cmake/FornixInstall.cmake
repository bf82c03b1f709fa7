# cmake --install: the command, the SDK (headers, libfornix, CMake and pkg-config files), the graphs,
# the models.
include(CMakePackageConfigHelpers)

# libfornix: what FX_API marks, for programs that test or embed nodes. A node that `fornix` loads
# needs the headers only.
add_library(fornix_shared SHARED $<TARGET_OBJECTS:fx_base> $<TARGET_OBJECTS:fx_block>
	runtime/node/instance.c runtime/graph/option.c runtime/graph/registry.c)
target_include_directories(fornix_shared PRIVATE runtime runtime/include)
target_include_directories(fornix_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(fornix_shared PRIVATE m ${CMAKE_DL_LIBS})
set_target_properties(fornix_shared PROPERTIES OUTPUT_NAME fornix EXPORT_NAME fornix
	VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
add_library(fornix_sdk INTERFACE)
target_include_directories(fornix_sdk INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(fornix_sdk PROPERTIES EXPORT_NAME sdk)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fornix)
set(bin_dir ${CMAKE_INSTALL_BINDIR})
configure_package_config_file(runtime/cmake/fornixConfig.cmake.in
	${CMAKE_BINARY_DIR}/fornixConfig.cmake INSTALL_DESTINATION ${cmake_dir} PATH_VARS bin_dir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/fornixConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(runtime/cmake/fornix.pc.in ${CMAKE_BINARY_DIR}/fornix.pc @ONLY)

install(TARGETS fornix RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS fornix_shared fornix_sdk EXPORT fornixTargets
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT fornixTargets NAMESPACE fornix:: DESTINATION ${cmake_dir})
install(FILES ${CMAKE_BINARY_DIR}/fornixConfig.cmake ${CMAKE_BINARY_DIR}/fornixConfigVersion.cmake
	runtime/cmake/FornixNode.cmake DESTINATION ${cmake_dir})
install(FILES ${CMAKE_BINARY_DIR}/fornix.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY runtime/include/fornix DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
	FILES_MATCHING PATTERN "*.h")
install(DIRECTORY graphs DESTINATION ${CMAKE_INSTALL_DATADIR}/fornix OPTIONAL
	FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/fornix OPTIONAL
	FILES_MATCHING PATTERN "*.safetensors")
