//! `cargo xtask codegen`: from `proto/` to `crates/contracts/src/gen/`, which is committed.
//!
//! Everything is generated in memory first, so that `--check` and writing cannot disagree. No
//! `protoc` is needed: protox compiles the files, and what comes after it only sees descriptors.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::{
    Outcome, codegen_api,
    descriptors::service_and_version,
    project::{self, Project, has_extension},
    say,
};

const PROTO: &str = "proto";
const OUTPUT: &str = "crates/contracts/src/gen";
const PACKAGE_PREFIX: &str = "mercat.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    Check,
}

/// Messages with a secret in them: what they print is written by hand, in `contracts`.
const UNPRINTED: &[&str] = &["mercat.identity.v1.VerifyApiKeyRequest"];

/// File name inside the output folder, and what it holds.
type Tree = BTreeMap<String, Vec<u8>>;

pub fn run(project: &Project, mode: Mode) -> Outcome {
    let tree = generate(project)?;
    let differences = differences(&tree, &committed(project)?);
    if mode == Mode::Check {
        return if differences.is_empty() {
            say::line(&format!("codegen: {OUTPUT} is current ({} files)", tree.len()));
            Ok(())
        } else {
            Err(format!(
                "{OUTPUT} is not what proto/ generates; run `cargo xtask codegen` and commit it\n  {}",
                differences.join("\n  ")
            ))
        };
    }
    let output = project.path(OUTPUT);
    for (name, content) in &tree {
        let path = output.join(name);
        // An untouched file keeps its time stamp, so nothing that depends on it is compiled again.
        if fs::read(&path).ok().as_ref() != Some(content) {
            project::write(&path, content)?;
        }
    }
    for name in committed(project)?.keys().filter(|name| !tree.contains_key(*name)) {
        fs::remove_file(output.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    say::line(&format!("codegen: {} of {} files changed", differences.len(), tree.len()));
    Ok(())
}

fn generate(project: &Project) -> Outcome<Tree> {
    let descriptors = compile(project, &sources(project)?)?;
    let mut tree = messages(project, &descriptors)?;
    let packages: BTreeSet<&str> = descriptors
        .file
        .iter()
        .map(prost_types::FileDescriptorProto::package)
        .filter(|package| package.starts_with(PACKAGE_PREFIX))
        .collect();
    let api = codegen_api::generate(&descriptors)?;
    let index = index(&packages, &api.keys().map(String::as_str).collect::<Vec<_>>())?;
    tree.insert("mod.rs".to_owned(), index.into_bytes());
    tree.extend(api.into_iter().map(|(name, text)| (name, text.into_bytes())));
    tree.insert("descriptor.bin".to_owned(), without_sources(descriptors).encode_to_vec());
    Ok(tree)
}

/// The contracts as they are, without comments and positions.
pub fn descriptors(project: &Project) -> Outcome<FileDescriptorSet> {
    compile(project, &sources(project)?).map(without_sources)
}

fn sources(project: &Project) -> Outcome<Vec<String>> {
    let files = project.files(PROTO)?.into_iter();
    Ok(files.filter(|path| has_extension(path, "proto")).collect())
}

fn compile(project: &Project, sources: &[String]) -> Outcome<FileDescriptorSet> {
    let mut compiler = protox::Compiler::new([project.path(PROTO)])
        .map_err(|error| format!("proto/ cannot be compiled: {error}"))?;
    compiler.include_source_info(true).include_imports(true);
    for source in sources {
        compiler.open_file(project.path(source)).map_err(|error| format!("{error:?}"))?;
    }
    Ok(compiler.file_descriptor_set())
}

/// The prost messages and tonic services, one file a package.
fn messages(project: &Project, descriptors: &FileDescriptorSet) -> Outcome<Tree> {
    let scratch = project.path("target/xtask/codegen");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    }
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    tonic_prost_build::configure()
        .out_dir(&scratch)
        .emit_rerun_if_changed(false)
        .build_transport(false)
        .skip_debug(UNPRINTED)
        .compile_fds(descriptors.clone())
        .map_err(|error| format!("code generation failed: {error}"))?;
    let mut tree = read_tree(&scratch)?;
    tree.retain(|name, _| name.starts_with(PACKAGE_PREFIX));
    Ok(tree)
}

/// Comments and positions are for the generator; a client that asks by reflection needs none.
fn without_sources(mut descriptors: FileDescriptorSet) -> FileDescriptorSet {
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    descriptors
}

/// `gen/mod.rs`: packages as nested modules, with `mercat` left out because the crate says it, so
/// that `super::super::` in generated paths still meets its neighbour.
fn index(packages: &BTreeSet<&str>, beside: &[&str]) -> Outcome<String> {
    let mut services: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for package in packages {
        let (service, version) = service_and_version(package)?;
        services.entry(service).or_default().push((version, package));
    }
    let mut text = String::from(
        "//! Generated by `cargo xtask codegen` from `proto/`. Change the contracts there, never here.\n\n\
         #![allow(clippy::all, clippy::pedantic, clippy::restriction, rust_2018_idioms)]\n",
    );
    for (service, versions) in services {
        let _ = write!(text, "\npub mod {service} {{\n");
        for (version, package) in versions {
            let _ = write!(
                text,
                "    pub mod {version} {{\n        include!(\"{package}.rs\");\n    }}\n"
            );
        }
        let own = [format!("{service}_api.rs"), format!("{service}_events.rs")];
        for file in own.iter().filter(|file| beside.contains(&file.as_str())) {
            let _ = writeln!(text, "    include!(\"{file}\");");
        }
        text.push_str("}\n");
    }
    text.push_str(
        "\n/// Every contract as an encoded `FileDescriptorSet`, for gRPC reflection.\n\
         pub const DESCRIPTOR_SET: &[u8] = include_bytes!(\"descriptor.bin\");\n",
    );
    Ok(text)
}

fn committed(project: &Project) -> Outcome<Tree> {
    read_tree(&project.path(OUTPUT))
}

fn read_tree(folder: &Path) -> Outcome<Tree> {
    let mut tree = Tree::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(tree);
    };
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            tree.insert(name.to_owned(), project::read_bytes(&path)?);
        }
    }
    Ok(tree)
}

fn differences(wanted: &Tree, present: &Tree) -> Vec<String> {
    let names: BTreeSet<&String> = wanted.keys().chain(present.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (wanted.get(name), present.get(name)) {
            (Some(_), None) => Some(format!("{name} is missing")),
            (None, Some(_)) => Some(format!("{name} belongs to no contract")),
            (Some(new), Some(old)) if new != old => Some(format!("{name} differs")),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn equal_trees_do_not_differ() {
        let one = tree(&[("a.rs", "a"), ("mod.rs", "m")]);
        assert!(differences(&one, &one.clone()).is_empty());
    }

    #[test]
    fn a_changed_a_missing_and_a_forgotten_file_are_each_named() {
        let wanted = tree(&[("a.rs", "new"), ("b.rs", "b")]);
        let present = tree(&[("a.rs", "old"), ("c.rs", "c")]);
        assert_eq!(
            differences(&wanted, &present),
            ["a.rs differs", "b.rs is missing", "c.rs belongs to no contract"]
        );
    }

    #[test]
    fn packages_become_nested_modules_without_the_common_prefix() {
        let text = index(
            &BTreeSet::from(["mercat.ordering.v1", "mercat.ordering.v2", "mercat.payment.v1"]),
            &["ordering_api.rs"],
        )
        .unwrap();
        assert!(text.contains("pub mod ordering {\n    pub mod v1 {"));
        assert!(text.contains("include!(\"mercat.ordering.v2.rs\");"));
        assert!(text.contains("    include!(\"ordering_api.rs\");\n"));
        assert_eq!(text.matches("pub mod ordering {").count(), 1);
    }

    #[test]
    fn a_package_with_another_shape_is_refused() {
        assert!(index(&BTreeSet::from(["mercat.ordering"]), &[]).is_err());
        assert!(index(&BTreeSet::from(["mercat.ordering.v1.deep"]), &[]).is_err());
    }
}
