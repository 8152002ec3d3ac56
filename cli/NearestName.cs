namespace NinCudnn.Cli;

/// <summary>Finds what somebody may have meant.</summary>
internal static class NearestName
{
    /// <summary>The name that differs least, if it is near enough to be meant: by a third of its letters at most.</summary>
    public static string? Of(string typed, IEnumerable<string> names) => names
        .Where(name => Math.Abs(typed.Length - name.Length) <= MostLetters(name)) // or the distance is more, and takes long to find for a long text
        .Select(name => (Name: name, Distance: Distance(typed, name)))
        .Where(candidate => candidate.Distance <= MostLetters(candidate.Name))
        .OrderBy(candidate => candidate.Distance)
        .Select(candidate => candidate.Name)
        .FirstOrDefault();

    /// <summary>A question to append to a message; empty where nothing is near.</summary>
    public static string Question(string typed, IEnumerable<string> names) => Of(typed, names) is { } meant ? $"; did you mean '{meant}'?" : "";

    private static int MostLetters(string name) => Math.Max(1, name.TrimStart('-').Length / 3);

    /// <summary>The letters to insert, delete, replace or exchange with their neighbour (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var distances = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    distances[i, j] = i + j;
                    continue;
                }
                int replaced = distances[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                distances[i, j] = Math.Min(replaced, Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    distances[i, j] = Math.Min(distances[i, j], distances[i - 2, j - 2] + 1);
            }
        }
        return distances[a.Length, b.Length];
    }
}
