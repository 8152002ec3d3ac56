// Says of portable PDB files which of their documents a debugger finds the source of, and their SourceLink map. Fails where a source is
// neither in the PDB nor in the map.

using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;

// The kinds of custom debug information that the format's specification lists.
var embeddedSource = new Guid("0E8A571B-6926-466E-B4AD-8AB04611F5FE");
var sourceLink = new Guid("CC110556-A091-4D38-9FEC-25AB9A351A6A");

int missing = 0;
foreach (string path in args)
{
    using var provider = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(path));
    MetadataReader pdb = provider.GetMetadataReader();
    string? map = Find(pdb, EntityHandle.ModuleDefinition, sourceLink) is { } blob ? Encoding.UTF8.GetString(pdb.GetBlobBytes(blob)) : null;
    string[] prefixes = map is null
        ? []
        : [.. JsonElement.Parse(map).GetProperty("documents").EnumerateObject().Select(document => document.Name.TrimEnd('*'))];

    int embedded = 0, linked = 0;
    foreach (DocumentHandle handle in pdb.Documents)
    {
        string name = pdb.GetString(pdb.GetDocument(handle).Name);
        bool isEmbedded = Find(pdb, handle, embeddedSource) is not null, isLinked = Array.Exists(prefixes, name.StartsWith);
        embedded += isEmbedded ? 1 : 0;
        linked += isLinked ? 1 : 0;
        if (isEmbedded || isLinked)
            continue;
        Console.WriteLine($"{Path.GetFileName(path)}: the source of {name} is found nowhere");
        missing++;
    }
    Console.WriteLine($"{Path.GetFileName(path)}: {pdb.Documents.Count} documents, {embedded} embedded, {linked} linked, SourceLink {map ?? "none"}");
}
return missing > 0 || args.Length == 0 ? 1 : 0;

static BlobHandle? Find(MetadataReader pdb, EntityHandle parent, Guid kind)
{
    foreach (CustomDebugInformationHandle handle in pdb.GetCustomDebugInformation(parent))
    {
        CustomDebugInformation information = pdb.GetCustomDebugInformation(handle);
        if (pdb.GetGuid(information.Kind) == kind)
            return information.Value;
    }
    return null;
}
