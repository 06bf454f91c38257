"""C++ code from .proto files, by the system's protoc and its gRPC plugin."""

def _protoc_impl(ctx):
    hdrs = []
    srcs = []
    for proto in ctx.files.srcs:
        stem = proto.basename[:-len(".proto")]
        suffixes = [".pb"] + ([".grpc.pb"] if ctx.attr.grpc else [])
        for suffix in suffixes:
            hdrs.append(ctx.actions.declare_file(stem + suffix + ".h"))
            srcs.append(ctx.actions.declare_file(stem + suffix + ".cc"))
    root = ctx.attr.root
    out = ctx.bin_dir.path + "/" + root
    args = ctx.actions.args()
    args.add("--proto_path=" + root)
    args.add("--cpp_out=" + out)
    if ctx.attr.grpc:
        args.add("--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin")
        args.add("--grpc_out=" + out)
    args.add_all(ctx.files.srcs)
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = [args],
        inputs = ctx.files.srcs + ctx.files.imports,
        outputs = hdrs + srcs,
        mnemonic = "Protoc",
        progress_message = "Generating C++ from %{label}",
    )
    return [
        DefaultInfo(files = depset(hdrs + srcs)),
        OutputGroupInfo(hdrs = depset(hdrs), srcs = depset(srcs)),
    ]

_protoc = rule(
    implementation = _protoc_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"]),
        "imports": attr.label_list(allow_files = [".proto"]),
        "grpc": attr.bool(),
        "root": attr.string(),
    },
)

def cc_proto(name, srcs, root = "", imports = [], grpc = False, deps = [], visibility = None):
    """A cc_library of the generated code of some .proto files.

    Args:
      name: the library's name.
      srcs: the .proto files, all in this package.
      root: the folder that import paths start from ("proto"); empty for the workspace itself.
      imports: .proto files of other targets that srcs import.
      grpc: whether services get stubs and servers too.
      deps: libraries of the imported files.
      visibility: as ever.
    """
    _protoc(name = name + "_gen", srcs = srcs, imports = imports, grpc = grpc, root = root or ".")
    native.filegroup(name = name + "_hdrs", srcs = [name + "_gen"], output_group = "hdrs")
    native.filegroup(name = name + "_srcs", srcs = [name + "_gen"], output_group = "srcs")
    native.cc_library(
        name = name,
        srcs = [name + "_srcs"],
        hdrs = [name + "_hdrs"],
        # Generated code is not ours to mend.
        copts = ["-w"],
        strip_include_prefix = ("/" + root) if root else None,
        visibility = visibility,
        deps = deps + ["//third_party:protobuf"] + (["//third_party:grpc"] if grpc else []),
    )
