namespace NinCudnn.Devices;

/// <summary>Arrays of things that own something native.</summary>
internal static class ResourceArray
{
    /// <summary>Makes things of which all remain, or none if one of them can't be made.</summary>
    public static T[] Create<T>(int count, Func<T> make)
        where T : IDisposable
    {
        var made = new List<T>(count);
        try
        {
            while (made.Count < count)
                made.Add(make());
            return [.. made];
        }
        catch
        {
            made.ForEach(one => one.Dispose());
            throw;
        }
    }
}
