using System.CommandLine;
using System.Text.Json;

namespace NinCudnn.Cli.Settings;

/// <summary>
/// A file of settings: a JSON object with an object of options for each command, and options for all commands beside them. docs/configuration.md
/// describes it, <see cref="ConfigSchema"/> is its schema.
/// </summary>
internal sealed class ConfigFile
{
    public const string SchemaKey = "$schema"; // tells editors what to check the file by

    private const int MostCharacters = 200;

    // By command; null for all.
    private readonly List<(Command? Command, Setting Setting)> _settings = [];

    private ConfigFile(string place) => Place = place;

    /// <summary>The file's path, as messages name it.</summary>
    public string Place { get; }

    /// <summary>Reads a whole file, also what is for other commands than the one that runs.</summary>
    /// <param name="path">The file.</param>
    /// <param name="root">The program's commands.</param>
    /// <exception cref="ArgumentException">It can't be read, or something in it is no setting.</exception>
    public static ConfigFile Read(string path, Command root)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            var file = new ConfigFile(path);
            file.Add(root, document.RootElement, "");
            return file;
        }
        catch (JsonException e)
        {
            string reason = Short(e.Message.Split(" LineNumber:")[0].TrimEnd('.')); // the parser may quote the rest of the file
            throw new ArgumentException($"{path}{(e.LineNumber is { } line ? $": line {line + 1}" : "")} is no JSON: {reason}", e);
        }
        catch (InvalidOperationException e)
        {
            // What JsonElement throws for a string with half a surrogate pair.
            throw new ArgumentException($"{path} has a string that is no valid text", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"{path} can't be read: {e.Message}", e);
        }
    }

    /// <summary>The settings for a command, the more particular ones first.</summary>
    public IEnumerable<Setting> For(Command command)
    {
        Dictionary<string, Option> options = CommandTree.OwnOptions(command).ToDictionary(option => option.Name);
        return
        [
            .. _settings.Where(entry => entry.Command == command).Select(entry => entry.Setting),
            .. _settings.Where(entry => entry.Command is null && options.ContainsKey(entry.Setting.Option.Name))
                .Select(entry => entry.Setting with { Option = options[entry.Setting.Option.Name] }),
        ];
    }

    /// <summary>The options that may stand beside the commands, one for all that have the name.</summary>
    public static IEnumerable<Option> SharedOptions(Command root) =>
        CommandTree.Leaves(root).SelectMany(CommandTree.OwnOptions).Where(Setting.IsShared).DistinctBy(option => option.Name);

    private void Add(Command command, JsonElement members, string prefix)
    {
        if (members.ValueKind != JsonValueKind.Object)
            throw Mistake(prefix.TrimEnd('.'), $"is {Kind(members)}, but must be an object");
        bool isRoot = prefix.Length == 0;
        Option[] options = [.. isRoot ? SharedOptions(command) : CommandTree.OwnOptions(command)];
        Command[] commands = [.. command.Subcommands.Where(CommandTree.IsVisible).Where(HasSettings)];
        foreach (JsonProperty member in members.EnumerateObject())
        {
            string key = prefix + Short(member.Name);
            if (isRoot && member.NameEquals(SchemaKey))
                continue;
            if (commands.FirstOrDefault(sub => member.NameEquals(sub.Name)) is { } sub)
                Add(sub, member.Value, key + ".");
            else if (options.FirstOrDefault(option => member.NameEquals(Setting.KeyOf(option))) is { } option)
                _settings.Add((isRoot ? null : command, new Setting(option, Text(key, option, member.Value), Place, key)));
            else
                throw new ArgumentException($"{Place}: there is no setting '{key}'{Question(member.Name)}");
        }

        string Question(string name)
        {
            string[] known = [.. commands.Select(sub => sub.Name), .. options.Select(Setting.KeyOf)];
            return NearestName.Of(name, known) is { } meant ? $"; did you mean '{prefix}{meant}'?" : $"; nin config schema lists those that there are";
        }
    }

    public static bool HasSettings(Command command) =>
        CommandTree.IsLeaf(command) ? CommandTree.OwnOptions(command).Any() : command.Subcommands.Any(HasSettings);

    private string Text(string key, Option option, JsonElement value)
    {
        if (CommandTree.IsFlag(option))
        {
            return value.ValueKind switch
            {
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => throw Mistake(key, $"is {Kind(value)}, but must be true or false"),
            };
        }
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            _ => throw Mistake(key, $"is {Kind(value)}, but must be a string or a number"),
        };
    }

    private static string Short(string text) => text.Length > MostCharacters ? $"{text[..MostCharacters]} …" : text;

    private ArgumentException Mistake(string key, string message) => new($"{Place}: {(key.Length > 0 ? key : "the whole")} {message}");

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Short(value.GetRawText()),
    };
}
