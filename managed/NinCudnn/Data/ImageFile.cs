namespace NinCudnn.Data;

/// <summary>One image of an <see cref="ImageFolder"/>, not read yet.</summary>
/// <param name="RelativePath">Where it is in the folder, with '/' between the parts.</param>
/// <param name="Label">The index of its class.</param>
/// <param name="Bytes">The file's length.</param>
/// <param name="Modified">When the file was last written, in UTC.</param>
public sealed record ImageFile(string RelativePath, ushort Label, long Bytes, DateTime Modified);
