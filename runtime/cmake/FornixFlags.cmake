# Compiler and linker flags of the whole tree.
add_compile_options(
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes
	-Wmissing-prototypes -Wold-style-definition -Wcast-qual -Wpointer-arith -Wwrite-strings -Wundef
	-Wvla -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough
	-fno-common -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
add_compile_definitions(_GNU_SOURCE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
if(FORNIX_WERROR)
	add_compile_options(-Werror)
endif()
if(FORNIX_SANITIZE)
	add_compile_options(-fsanitize=${FORNIX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
	add_link_options(-fsanitize=${FORNIX_SANITIZE})
else()
	add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>
		-fstack-protector-strong -fstack-clash-protection)
	add_link_options(-Wl,-z,relro,-z,now)
endif()
