using System.CommandLine;

namespace NinCudnn.Cli.Reference;

/// <summary>nin(1), in the macros of man(7).</summary>
internal static class ManPage
{
    public static void Write(TextWriter output, RootCommand root)
    {
        output.WriteLine($".TH NIN 1 \"\" \"nin {AppVersion.Text}\" \"User commands\"");
        Section(output, "NAME");
        output.WriteLine("nin \\- " + Text(Sentence(root.Description!)));
        Section(output, "SYNOPSIS");
        output.WriteLine(".B nin\n.I command\n.RI [ options ]");
        Section(output, "DESCRIPTION");
        output.WriteLine(Text(root.Description!));
        output.WriteLine("Options may also stand in environment variables (NIN_TRAIN_BATCH for nin train --batch) and in the files ./nin.json and "
            + "~/.config/nin/config.json; nin config show tells which of them count.".Replace("-", "\\-", StringComparison.Ordinal));
        Section(output, "OPTIONS");
        foreach (Option option in root.Options.Where(CommandTree.IsVisible))
            Item(output, CommandReference.OptionForm(option), option.Description);
        Section(output, "COMMANDS");
        foreach (CommandReference command in CommandReference.All(root))
            Write(output, command);
        Section(output, "EXIT STATUS");
        foreach (var (code, meaning) in ExitCode.All)
            Item(output, $"{code}", meaning);
    }

    private static void Write(TextWriter output, CommandReference command)
    {
        output.WriteLine($".SS \"{Text(command.Usage)}\"");
        output.WriteLine(Text(command.Command.Description!));
        foreach (Argument argument in command.Command.Arguments)
            Item(output, argument.Name, argument.Description);
        foreach (Option option in CommandTree.OwnOptions(command.Command))
            Item(output, CommandReference.OptionForm(option), CommandReference.Describe(option));
        output.WriteLine(".PP");
        output.WriteLine(command.Examples.Count == 1 ? "Example:" : "Examples:");
        output.WriteLine(".PP\n.nf");
        foreach (string example in command.Examples)
            output.WriteLine(Text(example));
        output.WriteLine(".fi");
    }

    private static void Section(TextWriter output, string title) => output.WriteLine($".SH {title}");

    private static void Item(TextWriter output, string what, string? meaning) => output.WriteLine($".TP\n.B {Text(what)}\n{Text(meaning ?? "")}");

    private static string Sentence(string text) => char.ToLowerInvariant(text[0]) + text[1..].TrimEnd('.');

    /// <summary>With escapes for what groff would take for something else: backslashes, hyphens, letters beyond ASCII, and a dot or quote that begins a line.</summary>
    private static string Text(string text)
    {
        text = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        text = string.Concat(text.EnumerateRunes().Select(rune => rune.IsAscii ? rune.ToString() : $"\\[u{rune.Value:X4}]"));
        return text is ['.' or '\'', ..] ? "\\&" + text : text;
    }
}
